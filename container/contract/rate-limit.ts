import { BridgeError } from './errors.ts';
import { HEADER } from './headers.ts';

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
 * Token buckets per caller, in the memory of the process or isolate. Not in the state: a refused request must cost nothing
 * behind the door, and a call on every request would buy exactness that a protective limit does not need. Cloudflare may
 * run several isolates, each with its own buckets; limits that must be exact (orders per minute) are the ledger's.
 */
export class RateLimiter {
  readonly #buckets = new Map<string, Bucket>();

  /** `count` requests at once, of which a bucket that is smaller takes all that it holds. */
  take(caller: string, rate: Rate, nowMs: number, count = 1): Allowance {
    const bucket = this.#bucket(caller, rate, nowMs);
    bucket.tokens = Math.min(rate.burst, bucket.tokens + (Math.max(0, nowMs - bucket.atMs) / 1000) * rate.perSecond);
    bucket.atMs = nowMs;
    const wanted = Math.min(count, rate.burst);
    const allowed = bucket.tokens >= Math.max(1, wanted);
    if (allowed) bucket.tokens -= wanted;
    const missing = allowed ? rate.burst - bucket.tokens : wanted - bucket.tokens;
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
