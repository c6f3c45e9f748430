/** A request that waited longer for a free session than this was slowed down by the queue. */
const SLOW_WAIT_MS = 50;
/** More than a burst: this many waits in a row, over this long. */
const SLOW_DISPATCHES = 5;
const SUSTAINED_MS = 500;
/** A server that takes longer for an answer is busy itself: another sign-in would only add to its load. */
const BUSY_ANSWER_MS = 1_000;
/** Nothing was served for this long while a request waited for this long: the sessions are stuck. */
export const STUCK_MS = 5_000;

/** Answers that the mean looks back on. */
const ANSWERS_REMEMBERED = 16;

/**
 * Decides when one more session is worth a sign-in: only where requests that were served had to wait, again and again,
 * though the server answers quickly, or where nothing moves. Callers that give up do not count.
 */
export class GrowthPolicy {
  #slow = 0;
  #slowSinceMs = 0;
  #answeredAtMs = 0;
  #answerMs = 0;

  /** How long an answer takes, the last ones counting most; 0 = none came yet. */
  get answerMs(): number {
    return this.#answerMs;
  }

  /** A request is handed to a session after waiting; waits before a session was ready do not count. */
  dispatched(waitedMs: number, nowMs: number): void {
    if (waitedMs <= SLOW_WAIT_MS) {
      this.#slow = 0;
      return;
    }
    if (this.#slow++ === 0) this.#slowSinceMs = nowMs;
  }

  /** Its answer came, or its session was lost. */
  answered(tookMs: number, nowMs: number): void {
    this.#answeredAtMs = nowMs;
    this.#answerMs = this.#answerMs === 0 ? tookMs : this.#answerMs + (tookMs - this.#answerMs) / ANSWERS_REMEMBERED;
    if (tookMs > BUSY_ANSWER_MS) this.#slow = 0;
  }

  /** @param oldestWaitMs how long the oldest request in the queue has waited */
  shouldGrow(oldestWaitMs: number, nowMs: number): boolean {
    const sustained = this.#slow >= SLOW_DISPATCHES && nowMs - this.#slowSinceMs >= SUSTAINED_MS;
    const stuck = oldestWaitMs >= STUCK_MS && nowMs - this.#answeredAtMs >= STUCK_MS;
    if (sustained || stuck) this.#slow = 0;
    return sustained || stuck;
  }
}
