import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SESSION_STATES } from '../../../container/contract/schemas/status.ts';
import { besideAudit, verdictOf, type VerdictFacts } from '../../../container/contract/verdict.ts';

const CONNECTED: VerdictFacts = {
  ready: true,
  reason: null,
  session: { state: 'ready', retryAtMs: null },
  halted: null,
  operations: { orders: 0, others: 0, unsettled: 0 },
};

const RETRY_AT_MS = Date.UTC(2026, 10, 27, 9, 30, 5);

test.each<[string, Partial<VerdictFacts>, string]>([
  ['good', {}, 'Connected.'],
  ['look', { operations: { orders: 1, others: 0, unsettled: 0 } }, 'Connected. One order needs a look.'],
  [
    'look',
    { operations: { orders: 2, others: 1, unsettled: 0 } },
    'Connected. 2 orders and one other operation need a look.',
  ],
  ['good', { operations: { orders: 0, others: 0, unsettled: 1 } }, 'Connected. One operation is being settled.'],
  ['look', { isFallback: true }, 'Connected. The fallback answers.'],
  ['look', { halted: 'audit' }, 'Connected. Trading is halted.'],
  ['look', { followed: { symbols: 12, stale: 3 } }, 'Connected. 3 of 12 followed symbols have no fresh quote.'],
  ['good', { followed: { symbols: 12, stale: 0 } }, 'Connected.'],
  [
    'look',
    { circuits: { broker: { state: 'open' }, road: { state: 'closed' } } },
    'Connected. Calls of the broker are held back.',
  ],
  ['good', { session: { state: 'asleep', retryAtMs: null } }, 'Asleep: the next request connects.'],
  ['good', { session: { state: 'challenged', retryAtMs: null } }, 'Connecting to the broker.'],
  [
    'bad',
    { ready: false, reason: '1001 Auth failed', session: { state: 'refused', retryAtMs: RETRY_AT_MS } },
    'Not connected: the broker refuses the sign-in. The next sign-in is tried at 09:30:05 UTC.',
  ],
  [
    'bad',
    { ready: false, reason: 'timed out', session: { state: 'unreachable', retryAtMs: null } },
    'Not connected: the broker cannot be reached.',
  ],
  [
    'bad',
    { ready: false, reason: 'The program hung', session: { state: 'asleep', retryAtMs: null } },
    'Not working: The program hung.',
  ],
])('%s %j: %s', (level, change, verdict) => {
  expect(verdictOf({ ...CONNECTED, ...change })).toEqual({ level, verdict });
});

test('an audit that is not stored needs a look', () => {
  expect(besideAudit(verdictOf(CONNECTED), { fault: 'The store is away.' })).toEqual({
    level: 'look',
    verdict: 'Connected. The audit needs a look.',
  });
  for (const audit of [null, { fault: null }])
    expect(besideAudit(verdictOf(CONNECTED), audit)).toEqual({ level: 'good', verdict: 'Connected.' });
});

test('whatever is not ready is bad, and what needs a person is never told as good', () => {
  const count = fc.nat({ max: 3 });
  fc.assert(
    fc.property(
      fc.record({
        ready: fc.boolean(),
        reason: fc.option(fc.string()),
        session: fc.record({
          state: fc.constantFrom(...SESSION_STATES),
          retryAtMs: fc.option(fc.constant(RETRY_AT_MS)),
        }),
        halted: fc.option(fc.string()),
        operations: fc.record({ orders: count, others: count, unsettled: count }),
      }),
      (facts) => {
        const { level, verdict } = verdictOf(facts);
        const { orders, others } = facts.operations;
        expect(verdict).toMatch(/^[A-Z].*[.!?]$/s);
        expect(level === 'bad').toBe(!facts.ready);
        if (facts.halted !== null || orders + others > 0) expect(level).not.toBe('good');
        expect(verdict.includes('a look')).toBe(orders + others > 0);
      },
    ),
  );
});
