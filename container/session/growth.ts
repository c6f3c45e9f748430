/**
 * More than a burst: so many requests in a row left others waiting behind them, over so long. What can travel together
 * does not wait behind the one that takes it along, so that only a queue that another session would shorten counts, however
 * quick the server is: with 8 callers that trade at a server without latency no wait is ever long. Sign-ins follow one
 * another, each with a streak of its own: three of them take a third of a second and three sign-ins.
 */
const QUEUED_DISPATCHES = 5;
const SUSTAINED_MS = 100;
/** A server that takes longer for an answer is busy itself: another sign-in would only add to its load. */
const BUSY_ANSWER_MS = 1_000;
/** Nothing was served for this long while a request waited for this long: the sessions are stuck. */
export const STUCK_MS = 5_000;

/** So many deals within so long are no single order: they are worth a session beside the one that deals. */
const REGULAR_DEALS = 3;
const REGULAR_WITHIN_MS = 60_000;
/** And for so long after the last of them: sign-ins are rarer than bursts of orders. */
const REGULAR_FOR_MS = 600_000;

/** Answers that the mean looks back on. */
const ANSWERS_REMEMBERED = 16;

/**
 * Decides when one more session is worth a sign-in: only where requests wait behind those that are served, again and again,
 * though the server answers quickly, or where nothing moves. Callers that give up do not count.
 */
export class GrowthPolicy {
  #queued = 0;
  #queuedSinceMs = 0;
  #answeredAtMs = 0;
  #answerMs = 0;
  /** Requests that one answer serves, in the mean; at least 1. */
  #perAnswer = 1;
  /** The last deals' times. */
  #dealtAtMs: number[] = [];
  #regularUntilMs = 0;

  /** How long an answer takes, the last ones counting most; 0 = none came yet. */
  get answerMs(): number {
    return this.#answerMs;
  }

  /** How long so many requests take, several travelling together, at a time apart that is never less than `intervalMs`. */
  waitMs(requests: number, sessions: number, intervalMs: number): number {
    return (requests * Math.max(this.#answerMs / sessions, intervalMs)) / this.#perAnswer;
  }

  /** Requests were handed to a session, and so many stayed behind. */
  dispatched(leftBehind: number, nowMs: number): void {
    if (leftBehind === 0) {
      this.#queued = 0;
      return;
    }
    if (this.#queued++ === 0) this.#queuedSinceMs = nowMs;
  }

  /** The answer to so many requests came, or its session was lost. */
  answered(tookMs: number, nowMs: number, requests = 1): void {
    this.#answeredAtMs = nowMs;
    this.#answerMs = this.#answerMs === 0 ? tookMs : this.#answerMs + (tookMs - this.#answerMs) / ANSWERS_REMEMBERED;
    this.#perAnswer += (requests - this.#perAnswer) / ANSWERS_REMEMBERED;
    if (tookMs > BUSY_ANSWER_MS) this.#queued = 0;
  }

  /** A dealer request was sent. */
  dealt(nowMs: number): void {
    this.#dealtAtMs = [...this.#dealtAtMs.slice(1 - REGULAR_DEALS), nowMs];
    const [first = nowMs] = this.#dealtAtMs;
    const isRegular = this.#dealtAtMs.length === REGULAR_DEALS && nowMs - first <= REGULAR_WITHIN_MS;
    if (isRegular || this.dealsRegularly(nowMs)) this.#regularUntilMs = nowMs + REGULAR_FOR_MS;
  }

  /** Somebody trades, now and again: what orders read should not wait behind what they send. */
  dealsRegularly(nowMs: number): boolean {
    return nowMs < this.#regularUntilMs;
  }

  /** How many sessions are worth it for dealing alone: one for each line, and one for what is read beside each. */
  sessionsForDealing(lines: number, most: number, nowMs: number): number {
    return this.dealsRegularly(nowMs) ? Math.min(most, 2 * lines) : 1;
  }

  /** @param oldestWaitMs how long the oldest request in the queue has waited */
  shouldGrow(oldestWaitMs: number, nowMs: number): boolean {
    const sustained = this.#queued >= QUEUED_DISPATCHES && nowMs - this.#queuedSinceMs >= SUSTAINED_MS;
    const stuck = oldestWaitMs >= STUCK_MS && nowMs - this.#answeredAtMs >= STUCK_MS;
    if (sustained || stuck) this.#queued = 0;
    return sustained || stuck;
  }
}
