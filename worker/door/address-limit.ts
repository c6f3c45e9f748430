import { RateLimiter, type Rate } from '../../container/contract/rate-limit.ts';
import { BridgeError } from '../../container/contract/errors.ts';

/** What one address may do without a valid key: failed keys, probes and sockets that have not shown one. */
const RATE: Rate = { perSecond: 5, burst: 100 };

/**
 * Nobody without a key costs much. In the isolate's memory, as the limits of keys are; Cloudflare's own rate limiting
 * (binding `ADDRESS_LIMIT`) counts over all isolates of a place where the deployment has it.
 */
export class AddressLimit {
  readonly #limiter = new RateLimiter();

  /** Counts one. @throws BridgeError `rate_limited` */
  async take(address: string | undefined, binding: RateLimit | undefined, nowMs: number): Promise<void> {
    // No address: not reached through Cloudflare, as in local development.
    if (address === undefined) return;
    const { allowed, resetMs } = this.#limiter.take(address, RATE, nowMs);
    if (!allowed) throw refusal(resetMs);
    if (binding && !(await binding.limit({ key: address })).success) throw refusal(BINDING_PERIOD_MS);
  }

  /** Whether the next one would be refused here. */
  isExhausted(address: string | undefined, nowMs: number): boolean {
    return address !== undefined && !this.#limiter.take(address, RATE, nowMs, 0).allowed;
  }
}

/** `simple.period` of the binding in `wrangler.jsonc`. */
const BINDING_PERIOD_MS = 60_000;

const refusal = (retryAfterMs: number): BridgeError =>
  new BridgeError('rate_limited', { detail: 'This address sends too much without a valid key.', retryAfterMs });
