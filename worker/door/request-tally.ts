/**
 * Requests that came to this isolate and that the keeper of the keys was not told of. They travel with the next question
 * for the keys: those that an isolate never tells of, because nobody with a key comes any more, are lost.
 */
class RequestTally {
  #count = 0;

  add(): void {
    this.#count++;
  }

  take(): number {
    const taken = this.#count;
    this.#count = 0;
    return taken;
  }
}

/** One per isolate. */
export const requestTally = new RequestTally();
