import type { BridgeError } from '../contract/errors.ts';
import { rateLimited, RateLimiter, rateLimitHeaders, type Rate } from '../contract/rate-limit.ts';

/** The door's limit of requests per key, where there is no door. */
export class CallerLimit {
  readonly #rate: Rate;
  readonly #now: () => number;
  readonly #limiter = new RateLimiter();

  constructor(rate: Rate, now: () => number) {
    this.#rate = rate;
    this.#now = now;
  }

  /** Counts requests; tells what is left, and the refusal where nothing is. */
  take(callerId: string, count: number): { readonly headers: readonly string[]; readonly refusal?: BridgeError } {
    const allowance = this.#limiter.take(callerId, this.#rate, this.#now(), count);
    const headers = Object.entries(rateLimitHeaders(this.#rate, allowance)).flat();
    return allowance.allowed ? { headers } : { headers, refusal: rateLimited(allowance) };
  }
}
