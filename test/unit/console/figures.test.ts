import { describe, expect, it } from 'vitest';
import {
  clock,
  count,
  counted,
  duration,
  firstOf,
  inWords,
  milliseconds,
  percent,
  quantile,
} from '../../../container/console/format.ts';
import { awakeSpans, startPhases } from '../../../container/console/history.ts';
import { allows, type Answers } from '../../../container/console/sources.ts';
import {
  bucketsOf,
  hitRate,
  parseMetrics,
  quantileMs,
  samplesOf,
  since,
  sumsBy,
} from '../../../container/console/metrics.ts';
import { toneOf } from '../../../container/console/verdict.ts';

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
    [inWords({ symbol: 'EURUSD', comment: '', price: null, deals: [1, 2] }), 'symbol EURUSD'],
    [
      inWords({ reason: 'It ended.', instanceId: 'b2', since: '2026-11-28T07:25:00Z', sinceMs: 5, epoch: 1 }),
      'reason It ended, since 2026-11-28T07:25:00Z, epoch 1',
    ],
    [firstOf(['EURUSD', 'GBPUSD', 'USDJPY'], 2), 'EURUSD, GBPUSD and 1 more'],
    [firstOf(['EURUSD', 'GBPUSD'], 2), 'EURUSD, GBPUSD'],
    [inWords({ text: 'x'.repeat(200) }), `text ${'x'.repeat(154)}…`],
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

describe('of the metrics', () => {
  const text = [
    '# TYPE t_seconds histogram',
    't_seconds_bucket{route="/a",le="0.01"} 50',
    't_seconds_bucket{route="/a",le="0.1"} 90',
    't_seconds_bucket{route="/a",le="+Inf"} 100',
    't_seconds_bucket{route="/b",le="0.01"} 0',
    't_seconds_bucket{route="/b",le="0.1"} 100',
    't_seconds_bucket{route="/b",le="+Inf"} 100',
    'mt5_cache_requests_total{kind="symbols",result="hit"} 3',
    'mt5_cache_requests_total{kind="symbols",result="miss"} 1',
    'refused_total{key="desk",code="rate_limited"} 7',
    'refused_total{key="",code="unauthenticated"} 9',
    'refused_total_other 1',
    '',
  ].join('\n');
  const metrics = parseMetrics(text);

  it('quantiles are interpolated within their bucket, as Prometheus does', () => {
    const all = bucketsOf(metrics, 't_seconds');
    expect(all).toEqual([
      [0.01, 50],
      [0.1, 190],
      [Infinity, 200],
    ]);
    expect(quantileMs(all, 0.25)).toBe(10);
    expect(quantileMs(all, 0.5)).toBeCloseTo(10 + 90 * (50 / 140));
    expect(quantileMs(all, 0.99)).toBe(100);
    expect(quantileMs(bucketsOf(metrics, 't_seconds', { route: '/c' }), 0.5)).toBeNull();
  });

  it('between two looks only what came between counts, and a counter that began anew counts whole', () => {
    const before = bucketsOf(metrics, 't_seconds', { route: '/a' });
    const after = bucketsOf(metrics, 't_seconds');
    expect(since(after, before)).toEqual([
      [0.01, 0],
      [0.1, 100],
      [Infinity, 100],
    ]);
    expect(since(before, after)).toBe(before);
  });

  it('samples keep their names and labels; a longer name is another metric', () => {
    expect(samplesOf(metrics, 'refused_total').map(({ labels, value }) => [labels['key'], value])).toEqual([
      ['desk', 7],
      ['', 9],
    ]);
    expect(sumsBy(samplesOf(metrics, 'refused_total'), 'code')).toEqual([
      ['unauthenticated', 9],
      ['rate_limited', 7],
    ]);
    expect(hitRate(metrics, 'symbols')).toBe(0.75);
    expect(hitRate(metrics, 'logins')).toBeNull();
  });
});

it.each([
  ['bad', 'refused', 'bad'],
  ['look', 'ready', 'busy'],
  ['good', 'ready', 'good'],
  ['good', 'asleep', 'calm'],
  ['good', 'challenged', 'busy'],
] as const)('a verdict of level %s in the state %s looks %s', (level, state, tone) =>
  expect(toneOf({ level, session: { state } } as Answers['status'])).toMatchObject({ tone }),
);

it('scopes hold each other as the bridge says', () => {
  expect(allows(['admin'], 'operate')).toBe(true);
  expect(allows(['operate'], 'read')).toBe(true);
  expect(allows(['trade'], 'operate')).toBe(false);
  expect(allows(['operate'], 'trade')).toBe(false);
  expect(allows([], 'read')).toBe(false);
});
