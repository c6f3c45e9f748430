import { expect, test } from 'vitest';
import { GrowthPolicy, STUCK_MS } from '../../../container/session/growth.ts';

test('requests that are served after waiting, again and again, grow the pool', () => {
  const growth = new GrowthPolicy();
  for (let ms = 0; ms <= 480; ms += 20) {
    growth.dispatched(60, ms);
    expect(growth.shouldGrow(60, ms)).toBe(false);
  }
  growth.dispatched(60, 500);
  expect(growth.shouldGrow(60, 500)).toBe(true);
  // One at a time: the next needs as much again.
  growth.dispatched(60, 520);
  expect(growth.shouldGrow(60, 520)).toBe(false);
});

test('one request that did not wait ends a streak', () => {
  const growth = new GrowthPolicy();
  for (let ms = 0; ms <= 800; ms += 20) growth.dispatched(ms === 400 ? 0 : 60, ms);
  expect(growth.shouldGrow(60, 800)).toBe(false);
});

test('callers who give up before they are served grow nothing', () => {
  const growth = new GrowthPolicy();
  for (let ms = 0; ms <= 10_000; ms += 200) expect(growth.shouldGrow(200, ms)).toBe(false);
});

test('where nothing moves at all, one more session is tried', () => {
  const growth = new GrowthPolicy();
  growth.answered(1, 0);
  expect(growth.shouldGrow(STUCK_MS - 1, STUCK_MS)).toBe(false);
  expect(growth.shouldGrow(STUCK_MS, STUCK_MS)).toBe(true);
});

test('a server that is slow itself is not given more sessions', () => {
  const growth = new GrowthPolicy();
  for (let ms = 2000; ms <= 60_000; ms += 2000) {
    growth.answered(2000, ms);
    growth.dispatched(ms, ms);
    expect(growth.shouldGrow(ms, ms)).toBe(false);
  }
});
