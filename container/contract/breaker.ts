import { z } from 'zod';

/** `half_open`: one call is through, and its end decides. */
export const BREAKER_STATES = ['closed', 'open', 'half_open'] as const;

const breakerStatusSchema = z.object({
  state: z.enum(BREAKER_STATES),
  /** When the state was entered, epoch ms. */
  sinceMs: z.number(),
  /** Failures in a row. */
  failures: z.int(),
  /** What failed last, in plain words; null = nothing since the last success. */
  reason: z.string().nullable(),
  /** From when on one more call is let through, epoch ms; null = closed. */
  retryAtMs: z.number().nullable(),
});
export { breakerStatusSchema };
export type BreakerStatus = Readonly<z.infer<typeof breakerStatusSchema>>;

export interface BreakerOptions {
  /** So many failures in a row open it. */
  readonly failures: number;
  /** How long it is open the first time; then twice as long each time … */
  readonly firstOpenMs: number;
  /** … up to this. */
  readonly longestOpenMs: number;
  readonly onChange: (status: BreakerStatus) => void;
}

/**
 * Keeps calls from a place that fails them all. Closed, all go through; open, none; after the wait one call at a time is
 * let through, one per wait, and its end decides. Whoever calls says what was the place's fault: a call that was refused for
 * the caller's own fault is a success here.
 *
 * Failures are in a row when each call began after the one before had failed: calls that fail together are one failure.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #state: BreakerStatus['state'] = 'closed';
  #sinceMs = 0;
  #failures = 0;
  #failedAtMs = -Infinity;
  #reason: string | null = null;
  #openMs = 0;
  /** Open: from when on one more call goes through. */
  #retryAtMs = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get status(): BreakerStatus {
    return {
      state: this.#state,
      sinceMs: this.#sinceMs,
      failures: this.#failures,
      reason: this.#reason,
      retryAtMs: this.#state === 'closed' ? null : this.#retryAtMs,
    };
  }

  /** How long nobody is let through; 0 = somebody is. */
  waitMs(nowMs: number): number {
    return this.#state === 'closed' ? 0 : Math.max(0, this.#retryAtMs - nowMs);
  }

  /** Whether this call may go. After a wait the first that asks is the one that tries. */
  take(nowMs: number): boolean {
    if (this.#state === 'closed') return true;
    if (this.waitMs(nowMs) > 0) return false;
    this.#retryAtMs = nowMs + this.#openMs;
    this.#enter('half_open', nowMs);
    return true;
  }

  succeeded(nowMs: number): void {
    if (this.#failures === 0 && this.#state === 'closed') return;
    this.#failures = 0;
    this.#reason = null;
    this.#openMs = 0;
    this.#enter('closed', nowMs);
  }

  /** @param beganAtMs when the call began */
  failed(beganAtMs: number, nowMs: number, reason: string): void {
    if (beganAtMs < this.#failedAtMs) return;
    this.#failedAtMs = nowMs;
    this.#failures++;
    this.#reason = reason;
    if (this.#state === 'half_open' || this.#failures >= this.#options.failures) this.#open(nowMs);
  }

  /** One failure that says enough. */
  trip(nowMs: number, reason: string): void {
    this.#failedAtMs = nowMs;
    this.#failures++;
    this.#reason = reason;
    if (this.#state !== 'open') this.#open(nowMs);
  }

  #open(nowMs: number): void {
    const { firstOpenMs, longestOpenMs } = this.#options;
    // What was under way when it opened may still fail: it is open for no longer by that.
    if (this.#state === 'open') return;
    this.#openMs = Math.min(longestOpenMs, this.#openMs === 0 ? firstOpenMs : this.#openMs * 2);
    this.#retryAtMs = nowMs + this.#openMs;
    this.#enter('open', nowMs);
  }

  #enter(state: BreakerStatus['state'], nowMs: number): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#sinceMs = nowMs;
    this.#options.onChange(this.status);
  }
}
