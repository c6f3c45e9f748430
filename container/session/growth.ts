/** A request that waited longer for a free session than this was slowed down by the queue. */
const SLOW_WAIT_MS = 50;
/** So many in a row, over so long, are no burst. */
const SLOW_DISPATCHES = 5;
const SUSTAINED_MS = 250;
/** Nobody is served at all: a request that still waits after this is reason enough. Answers of two seconds are ordinary. */
export const STUCK_WAIT_MS = 3_000;

/**
 * Decides when one more session is worth a sign-in: only where requests that were served had to wait, again and again,
 * or where nothing moves. Callers that give up early prove nothing.
 */
export class GrowthPolicy {
  #slow = 0;
  #slowSinceMs = 0;

  /** A request is handed to a session after waiting; waits before a session was ready do not count. */
  dispatched(waitedMs: number, nowMs: number): void {
    if (waitedMs <= SLOW_WAIT_MS) {
      this.#slow = 0;
      return;
    }
    if (this.#slow++ === 0) this.#slowSinceMs = nowMs;
  }

  /** @param oldestWaitMs how long the oldest request in the queue has waited */
  shouldGrow(oldestWaitMs: number, nowMs: number): boolean {
    const sustained = this.#slow >= SLOW_DISPATCHES && nowMs - this.#slowSinceMs >= SUSTAINED_MS;
    if (!sustained && oldestWaitMs < STUCK_WAIT_MS) return false;
    this.#slow = 0;
    return true;
  }
}
