/** This many sessions in a row that ended before any answer are taken for a fault of the server. */
const ACCIDENTS = 3;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/**
 * A server that accepts sign-ins and ends the sessions at once would be signed in to with every request: each such
 * session after the first few makes the next one wait longer. One answer resets the count.
 */
export class Flapping {
  #fruitless = 0;
  #untilMs = 0;

  /** A session ended before it answered anything. */
  ended(nowMs: number): void {
    this.#fruitless++;
    const beyond = this.#fruitless - ACCIDENTS;
    this.#untilMs = beyond < 0 ? 0 : nowMs + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(10, beyond));
  }

  /** A session answered for the first time, even if it ended right after. */
  answered(): void {
    this.#fruitless = 0;
    this.#untilMs = 0;
  }

  /** How long the next sign-in has to wait; 0 = it may begin. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#untilMs - nowMs);
  }
}
