import { BridgeError } from '../../container/contract/errors.ts';
import { HEADER } from '../../container/contract/headers.ts';

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** A bucket after one request was counted. */
export interface Allowance {
  readonly allowed: boolean;
  readonly remaining: number;
  /** Until one more request is allowed, or until the bucket is full again. */
  readonly resetMs: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Keys are few; this only bounds what consumer sessions can add. */
const MAX_BUCKETS = 10_000;

/**
 * Token buckets per caller, in the isolate's memory. Not in the Durable Object: a refused request must cost nothing
 * behind the door, and 0.7 ms on every request would buy exactness that a protective limit does not need. Cloudflare may
 * run several isolates, each with its own buckets; limits that must be exact (orders per minute) are the ledger's.
 */
export class RateLimiter {
  readonly #buckets = new Map<string, Bucket>();

  take(caller: string, rate: Rate, nowMs: number): Allowance {
    const bucket = this.#bucket(caller, rate, nowMs);
    bucket.tokens = Math.min(rate.burst, bucket.tokens + (Math.max(0, nowMs - bucket.atMs) / 1000) * rate.perSecond);
    bucket.atMs = nowMs;
    const allowed = bucket.tokens >= 1;
    if (allowed) bucket.tokens -= 1;
    const missing = allowed ? rate.burst - bucket.tokens : 1 - bucket.tokens;
    return { allowed, remaining: Math.floor(bucket.tokens), resetMs: Math.ceil((missing / rate.perSecond) * 1000) };
  }

  /** Least recently used first, so that dropping one drops the fullest. */
  #bucket(caller: string, rate: Rate, nowMs: number): Bucket {
    const bucket = this.#buckets.get(caller) ?? { tokens: rate.burst, atMs: nowMs };
    this.#buckets.delete(caller);
    this.#buckets.set(caller, bucket);
    if (this.#buckets.size > MAX_BUCKETS) this.#buckets.delete(this.#buckets.keys().next().value ?? caller);
    return bucket;
  }
}

/** draft-ietf-httpapi-ratelimit-headers-10: policy with quota and window, and what is left of it. */
export function rateLimitHeaders(rate: Rate, { remaining, resetMs }: Allowance): Record<string, string> {
  const windowSeconds = Math.max(1, Math.ceil(rate.burst / rate.perSecond));
  return {
    [HEADER.rateLimitPolicy]: `"key";q=${rate.burst};w=${windowSeconds}`,
    [HEADER.rateLimit]: `"key";r=${remaining};t=${Math.ceil(resetMs / 1000)}`,
  };
}

export const rateLimited = ({ resetMs }: Allowance): BridgeError =>
  new BridgeError('rate_limited', {
    detail: 'The key sends more requests than its limit allows.',
    retryAfterMs: resetMs,
  });
