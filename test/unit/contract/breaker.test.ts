import { beforeEach, expect, test } from 'vitest';
import { Breaker } from '../../../container/contract/breaker.ts';

let states: string[];
let breaker: Breaker;

beforeEach(() => {
  states = [];
  breaker = new Breaker({
    failures: 3,
    firstOpenMs: 1_000,
    longestOpenMs: 3_000,
    onChange: ({ state }) => states.push(state),
  });
});

/** A call that begins and fails at once. */
const fail = (atMs: number): void => breaker.failed(atMs, atMs, `at ${atMs}`);

test('opens after failures in a row, and lets one call through per wait, each wait twice as long as the one before', () => {
  fail(1);
  fail(2);
  breaker.succeeded(3);
  fail(4);
  fail(5);
  expect(breaker.take(6)).toBe(true);
  fail(6);
  expect(breaker.status).toMatchObject({ state: 'open', reason: 'at 6', retryAtMs: 1_006 });
  expect([breaker.take(7), breaker.take(1_005), breaker.take(1_006), breaker.take(1_007)]).toEqual([
    false,
    false,
    true,
    false,
  ]);
  fail(1_010);
  expect(breaker.waitMs(1_010)).toBe(2_000);
  expect(breaker.take(3_010)).toBe(true);
  fail(3_010);
  expect(breaker.waitMs(3_010)).toBe(3_000);
  expect(breaker.take(6_010)).toBe(true);
  breaker.succeeded(6_020);
  expect([breaker.take(6_021), breaker.take(6_021)]).toEqual([true, true]);
  expect(states).toEqual(['open', 'half_open', 'open', 'half_open', 'open', 'half_open', 'closed']);
});

test('a try whose end is never told gives way to the next one a wait later', () => {
  for (const atMs of [1, 2, 3]) fail(atMs);
  expect([breaker.take(1_003), breaker.take(2_002), breaker.take(2_003)]).toEqual([true, false, true]);
});

test('calls that fail together are one failure', () => {
  for (let i = 0; i < 100; i++) breaker.failed(1, 10 + i, 'together');
  expect(breaker.status).toMatchObject({ state: 'closed', failures: 1 });
});
