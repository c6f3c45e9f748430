import { expect, it } from 'vitest';
import { InFlight } from '../../../../worker/holder/in-flight.ts';
import { decideSleep, SLEEP_AFTER_PATTERN, STOP_GRACE_MS } from '../../../../worker/holder/sleep-policy.ts';

const idle = { wanted: false, inFlight: 0, stoppingSinceMs: null, nowMs: 1_000_000 };

it.each([
  ['nothing is going on', {}, 'stop'],
  ['the policy wants it awake', { wanted: true }, 'stay'],
  ['a request is in flight', { inFlight: 1 }, 'stay'],
  ['it was asked to stop a moment ago', { stoppingSinceMs: 1_000_000 - STOP_GRACE_MS + 1 }, 'stay'],
  ['it ignores SIGTERM', { stoppingSinceMs: 1_000_000 - STOP_GRACE_MS }, 'kill'],
] as const)('when %s: %s', (_, facts, decision) => {
  expect(decideSleep({ ...idle, ...facts })).toBe(decision);
});

it('a request that is never answered counts until its deadline only (containers#241)', () => {
  const inFlight = new InFlight();
  const done = inFlight.begin(2000);
  inFlight.begin(5000);
  expect(inFlight.count(1000)).toBe(2);
  expect(inFlight.count(3000)).toBe(1);
  done();
  done();
  expect(inFlight.count(3000)).toBe(1);
  expect(inFlight.count(6000)).toBe(0);
});

it('sleepAfter is what the library takes: others throw inside its constructor', () => {
  for (const good of ['30s', '10m', '12h']) expect(good).toMatch(SLEEP_AFTER_PATTERN);
  for (const bad of ['', '10', '0s', '1d', '90ms', '10 m', '-1s', '1.5m']) expect(bad).not.toMatch(SLEEP_AFTER_PATTERN);
});
