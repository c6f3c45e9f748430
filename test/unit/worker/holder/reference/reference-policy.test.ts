import { expect, it } from 'vitest';
import { decideStored } from '../../../../../worker/holder/reference/reference-policy.ts';

const fresh = { ageMs: 10_000, freshForMs: 60_000 };
const old = { ageMs: 7 * 86_400_000, freshForMs: 60_000 };

it.each([
  // stored, oldestMs, awake → asleep
  ['never read', null, null, 'forward', 'forward'],
  ['fresh', fresh, null, 'answer', 'answer'],
  ['old', old, null, 'answer, renew', 'answer'],
  ['fresh, no-cache', fresh, 0, 'forward', 'forward'],
  ['fresh, max-age below its age', fresh, 9_000, 'forward', 'forward'],
  ['fresh, max-age above its age', fresh, 11_000, 'answer', 'answer'],
  ['old, no-cache', old, 0, 'forward', 'forward'],
] as const)('%s', (_name, stored, oldestMs, awake, asleep) => {
  expect(decideStored({ stored, oldestMs, isAwake: true })).toBe(awake);
  expect(decideStored({ stored, oldestMs, isAwake: false })).toBe(asleep);
});
