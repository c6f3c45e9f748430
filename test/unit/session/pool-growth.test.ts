import { expect, test } from 'vitest';
import { GrowthPolicy, STUCK_MS } from '../../../container/session/growth.ts';

test('requests that stay behind, again and again, grow the pool, however quick the answers are', () => {
  const growth = new GrowthPolicy();
  for (let ms = 0; ms < 100; ms += 2) {
    growth.dispatched(1, ms);
    expect(growth.shouldGrow(2, ms)).toBe(false);
  }
  growth.dispatched(1, 100);
  expect(growth.shouldGrow(2, 100)).toBe(true);
  // One at a time: the next needs as much again.
  growth.dispatched(1, 102);
  expect(growth.shouldGrow(2, 102)).toBe(false);
});

test('a queue that one answer empties needs no other session: it ends a streak', () => {
  const growth = new GrowthPolicy();
  for (let ms = 0; ms <= 180; ms += 20) growth.dispatched(ms === 100 ? 0 : 7, ms);
  expect(growth.shouldGrow(60, 180)).toBe(false);
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
    growth.dispatched(9, ms);
    expect(growth.shouldGrow(ms, ms)).toBe(false);
  }
});
