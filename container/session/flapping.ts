/** So many sessions in a row that ended before they answered anything are no accident. */
const ACCIDENTS = 3;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/**
 * A server that accepts sign-ins and ends the sessions at once would be signed in to with every request: each such
 * session after the first few makes the next one wait longer. One answer, and all is forgotten.
 */
export class Flapping {
  #fruitless = 0;
  #untilMs = 0;

  ended(hadAnswered: boolean, nowMs: number): void {
    this.#fruitless = hadAnswered ? 0 : this.#fruitless + 1;
    const beyond = this.#fruitless - ACCIDENTS;
    this.#untilMs = beyond < 0 ? 0 : nowMs + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(10, beyond));
  }

  /** How long the next sign-in has to wait; 0 = it may begin. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#untilMs - nowMs);
  }
}
