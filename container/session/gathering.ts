/**
 * Turns of the event loop that are waited for at most: those who were answered by one train ask again one after another, a
 * tenth of a millisecond apart, and eight of them fit into one.
 */
const MOST_TURNS = 8;

/**
 * Requests that can travel together and come in one turn of the event loop, or in the turns right after it as long as each
 * brings more of them. One that comes alone waits for the end of the next turn, some microseconds.
 */
export class Gathering {
  readonly #served: () => void;
  #came = 0;
  #turns = 0;

  constructor(served: () => void) {
    this.#served = served;
  }

  /** One more waits. */
  join(): void {
    if (this.#came++ === 0 && this.#turns === 0) setImmediate(this.#endOfTurn);
  }

  readonly #endOfTurn = (): void => {
    if (this.#came > 0 && this.#turns < MOST_TURNS) {
      this.#came = 0;
      this.#turns++;
      setImmediate(this.#endOfTurn);
      return;
    }
    this.#came = 0;
    this.#turns = 0;
    this.#served();
  };
}
