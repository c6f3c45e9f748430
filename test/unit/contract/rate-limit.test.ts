import { expect, it } from 'vitest';
import { RateLimiter, rateLimitHeaders } from '../../../container/contract/rate-limit.ts';

const rate = { perSecond: 10, burst: 20 };

it('lets a burst through, then the rate; another caller is not touched', () => {
  const limiter = new RateLimiter();
  const taken = Array.from({ length: 25 }, () => limiter.take('fast', rate, 0).allowed);
  expect(taken.filter(Boolean)).toHaveLength(20);
  expect(limiter.take('slow', rate, 0).allowed).toBe(true);
  expect(limiter.take('fast', rate, 99).allowed).toBe(false);
  expect(limiter.take('fast', rate, 100).allowed).toBe(true);
  const second = Array.from({ length: 20 }, (_, i) => limiter.take('fast', rate, 200 + i * 50).allowed);
  expect(second.filter(Boolean)).toHaveLength(10);
});

it('never owes more than a burst, and a clock that goes back gives nothing', () => {
  const limiter = new RateLimiter();
  expect(limiter.take('a', rate, 1_000_000_000).remaining).toBe(19);
  expect(limiter.take('a', rate, 0).remaining).toBe(18);
});

it('says what is left and when one more is allowed', () => {
  const limiter = new RateLimiter();
  for (let i = 0; i < 20; i++) limiter.take('a', rate, 0);
  const refused = limiter.take('a', rate, 0);
  expect(refused).toEqual({ allowed: false, remaining: 0, resetMs: 100 });
  expect(rateLimitHeaders(rate, refused)).toEqual({ 'ratelimit-policy': '"key";q=20;w=2', ratelimit: '"key";r=0;t=1' });
});
