import { expect, test } from 'vitest';
import { GrowthPolicy, STUCK_WAIT_MS } from '../../container/session/growth.ts';

test('requests that are served after waiting, again and again, grow the pool', () => {
  const growth = new GrowthPolicy();
  for (let ms = 0; ms <= 240; ms += 20) {
    growth.dispatched(60, ms);
    expect(growth.shouldGrow(60, ms)).toBe(false);
  }
  growth.dispatched(60, 260);
  expect(growth.shouldGrow(60, 260)).toBe(true);
  // One at a time: the next needs as much again.
  growth.dispatched(60, 280);
  expect(growth.shouldGrow(60, 280)).toBe(false);
});

test('one request that did not wait ends a streak', () => {
  const growth = new GrowthPolicy();
  for (let ms = 0; ms <= 400; ms += 20) growth.dispatched(ms === 200 ? 0 : 60, ms);
  expect(growth.shouldGrow(60, 400)).toBe(false);
});

test('callers who give up before they are served grow nothing', () => {
  const growth = new GrowthPolicy();
  for (let ms = 0; ms <= 10_000; ms += 200) expect(growth.shouldGrow(200, ms)).toBe(false);
});

test('a request that is not served at all grows the pool', () => {
  const growth = new GrowthPolicy();
  expect(growth.shouldGrow(STUCK_WAIT_MS, STUCK_WAIT_MS)).toBe(true);
});
