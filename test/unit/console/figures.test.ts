import { describe, expect, it } from 'vitest';
import { clock, count, counted, duration, milliseconds, percent, quantile } from '../../../container/console/format.ts';
import { awakeSpans, startPhases } from '../../../container/console/history.ts';
import { allows, type Answers } from '../../../container/console/sources.ts';
import { verdictOf } from '../../../container/console/verdict.ts';

/** What the page reckons itself, held against its meaning. */

type Entry = Answers['journal']['items'][number];
const entry = (event: Entry['event'], atMs: number, phasesMs: Entry['phasesMs'] = null): Entry => ({
  at: new Date(atMs).toISOString(),
  atMs,
  event,
  reason: '',
  instanceId: null,
  epoch: null,
  phasesMs,
});

describe('figures are written', () => {
  it.each([
    [duration(-5), '0 s'],
    [duration(59_999), '59 s'],
    [duration(60_000), '1 min'],
    [duration(3 * 3_600_000 + 20 * 60_000), '3 h 20 min'],
    [duration(86_400_000), '1 d'],
    [duration(5 * 86_400_000 + 2 * 3_600_000), '5 d 2 h'],
    [milliseconds(0.577), '0.58 ms'],
    [milliseconds(12.44), '12.4 ms'],
    [milliseconds(1250), '1,250 ms'],
    [count(1_234_567), '1,234,567'],
    [count(999), '999'],
    [counted(1, 'order'), '1 order'],
    [counted(2, 'order'), '2 orders'],
    [percent(0.9731), '97.3 %'],
  ])('%s', (written, expected) => expect(written).toBe(expected));

  it('with the day where it is another one', () => {
    const nowMs = Date.UTC(2026, 10, 28, 1, 0);
    expect(clock(Date.UTC(2026, 10, 28, 0, 5, 9), 'utc', nowMs)).toBe('00:05:09');
    expect(clock(Date.UTC(2026, 10, 27, 23, 59), 'utc', nowMs)).toBe('27 Nov 23:59');
    expect(clock(Date.UTC(2025, 10, 28, 0, 5), 'utc', nowMs)).toBe('28 Nov 2025 00:05');
  });

  it('quantiles are values of the list, as the bridge reckons its own', () => {
    expect(quantile([], 0.5)).toBeNull();
    expect(quantile([30, 10, 20], 0.5)).toBe(20);
    expect(quantile([30, 10, 20], 0.95)).toBe(30);
  });
});

describe('of the journal', () => {
  // As the bridge gives it: newest first.
  const journal = [
    entry('start', 9000, { process: 30 }),
    entry('crash', 8000),
    entry('ready', 5100, { signIn: 7 }),
    entry('start', 5000, { process: 10, instance: 4 }),
    entry('sleep', 2000),
    entry('start', 1000),
  ];
  const span = { fromMs: 1500, nowMs: 10_000, isRunning: true };

  it('a container ran from its start to its end, or until now', () => {
    expect(awakeSpans(journal, span)).toEqual([
      { fromMs: 1500, toMs: 2000, end: 'sleep' },
      { fromMs: 5000, toMs: 8000, end: 'crash' },
      { fromMs: 9000, toMs: 10_000, end: null },
    ]);
  });

  it('a start whose end was never written down is not drawn up to now', () => {
    expect(awakeSpans(journal, { ...span, isRunning: false })).toHaveLength(2);
  });

  it('phases stand in the order in which they pass, each with every start that told it', () => {
    expect(startPhases(journal)).toEqual([
      { phase: 'instance', values: [4] },
      { phase: 'process', values: [30, 10] },
      { phase: 'signIn', values: [7] },
    ]);
  });
});

describe('the verdict', () => {
  const status = (change: {
    session?: Answers['status']['session']['state'];
    ready?: boolean;
    reason?: string;
    unsettled?: number;
  }): Answers['status'] => {
    const { session = 'ready', ready = true, reason = null, unsettled = 0 } = change;
    const since = { since: '', sinceMs: 0 };
    const signedIn = { epoch: 1, reason: null, retcode: null, connections: 1, retryAtMs: null, serverBuild: '5000' };
    return {
      level: 'good',
      verdict: 'Connected.',
      ready,
      reason,
      session: { ...since, state: session, ...signedIn },
      container: { ...since, state: 'running', streams: 0, unsettled, inFlight: 0 },
      operations: { unsettled, needLook: { orders: 0, others: 0 } },
      halted: null,
      sleep: null,
      told: null,
      lastAnswer: null,
      lastHeartbeat: null,
      signIns: { succeeded: 1, failed: 0 },
      clock: null,
      pool: null,
      followed: null,
      symbols: [],
      feed: null,
      warnings: [],
    };
  };

  it.each([
    [status({}), 'good', 'Connected to the broker.'],
    [status({ session: 'asleep' }), 'calm', 'Asleep. The next request starts it.'],
    [status({ unsettled: 1 }), 'good', 'Connected to the broker. 1 operation is not settled.'],
    [status({ reason: 'Trading is halted: audit' }), 'busy', 'Connected to the broker.'],
    [status({ session: 'refused', ready: false, reason: 'wrong password' }), 'bad', 'The broker refuses the sign-in.'],
    [status({ ready: false, reason: 'The memory cannot be written.' }), 'bad', 'Not ready.'],
  ])('says no more than the status does', (told, tone, text) =>
    expect(verdictOf(told)).toMatchObject({ tone, text, reason: told.reason }),
  );
});

it('scopes hold each other as the bridge says', () => {
  expect(allows(['admin'], 'operate')).toBe(true);
  expect(allows(['operate'], 'read')).toBe(true);
  expect(allows(['trade'], 'operate')).toBe(false);
  expect(allows(['operate'], 'trade')).toBe(false);
  expect(allows([], 'read')).toBe(false);
});
