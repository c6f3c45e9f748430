import { expect, it } from 'vitest';
import { Claims } from '../../../../worker/holder/origin/claims.ts';

it('a key stays with the origin that took it until every request has let go or its deadline passed', () => {
  let nowMs = 0;
  const claims = new Claims(() => nowMs);
  const first = claims.take('desk', 'order-1', 'container', 1_000);
  const second = claims.take('desk', 'order-1', 'container', 2_000);
  first();
  // Said twice, it lets go of nothing that belongs to another.
  first();
  expect(claims.holder('desk', 'order-1')).toBe('container');
  expect(claims.holder('other', 'order-1')).toBeUndefined();
  second();
  expect(claims.holder('desk', 'order-1')).toBeUndefined();
  claims.take('desk', 'order-2', 'fallback', 3_000);
  nowMs = 3_000;
  expect(claims.holder('desk', 'order-2')).toBeUndefined();
});
