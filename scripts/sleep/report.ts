import type { TradingCalendar } from '../../container/contract/trading-calendar.ts';
import { bill, cents, NOTHING } from '../../container/state/cost/bill.ts';
import { TradingHours } from '../../worker/holder/policy/trading-hours.ts';
import { type Outcome, optimum, simulate, type Span } from './simulate.ts';
import { FIXED_MINUTES, strategies } from './strategies.ts';
import { DAY_MS, HOUR_MS } from './traces.ts';

const MONTH_MS = 30 * DAY_MS;

/** One policy over one kind of use, a month of it. */
export interface Row {
  readonly name: string;
  readonly coldInTrading: number;
  readonly coldOutside: number;
  readonly addedP95Ms: number;
  readonly awakeHours: number;
  readonly usd: number;
}

export interface TraceRows {
  readonly name: string;
  readonly rows: readonly Row[];
}

/** Of several seeds; the percentile is the worst of them. */
export function sum(outcomes: readonly Outcome[]): Outcome {
  const total = (pick: (one: Outcome) => number): number => outcomes.reduce((all, one) => all + pick(one), 0);
  return {
    requests: total((one) => one.requests),
    coldInTrading: total((one) => one.coldInTrading),
    coldOutside: total((one) => one.coldOutside),
    addedP95Ms: Math.max(...outcomes.map((one) => one.addedP95Ms)),
    awakeMs: total((one) => one.awakeMs),
    spanMs: total((one) => one.spanMs),
  };
}

export function rowOf(name: string, outcome: Outcome): Row {
  const perMonth = (value: number): number => (value * MONTH_MS) / outcome.spanMs;
  const awakeSeconds = perMonth(outcome.awakeMs) / 1000;
  return {
    name,
    coldInTrading: perMonth(outcome.coldInTrading),
    coldOutside: perMonth(outcome.coldOutside),
    addedP95Ms: outcome.addedP95Ms,
    awakeHours: perMonth(outcome.awakeMs) / HOUR_MS,
    usd: bill({ ...NOTHING, awakeSeconds, requests: perMonth(outcome.requests) }).totalUsd,
  };
}

export function rowsOf(
  requestsOf: (seed: number) => readonly number[],
  seeds: readonly number[],
  calendar: TradingCalendar,
  span: Span,
): Row[] {
  const trading = new TradingHours(calendar);
  const bySeed = seeds.map((seed) => requestsOf(seed));
  const names = strategies(calendar, span.fromMs).map(({ name }) => name);
  const rows = names.map((name, i) => {
    const outcomes = bySeed.map((requests) => {
      // What is learned of one seed is not known to the next.
      const strategy = strategies(calendar, span.fromMs)[i];
      if (!strategy) throw new Error(`no strategy ${name}`);
      return simulate(strategy, requests, span, (ms) => trading.isOpen(ms));
    });
    return rowOf(name, sum(outcomes));
  });
  return [...rows, rowOf('optimum', sum(bySeed.map((requests) => optimum(requests, span))))];
}

const HEAD = ['policy', 'cold hits in trading hours', 'outside', 'added p95', 'awake hours', 'USD a month'];

export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.name,
    row.coldInTrading.toFixed(1),
    row.coldOutside.toFixed(1),
    `${Math.round(row.addedP95Ms)} ms`,
    row.awakeHours.toFixed(1),
    cents(row.usd),
  ]);
  return markdown(HEAD, lines);
}

const coldOf = (row: Row): number => row.coldInTrading + row.coldOutside;
const rowNamed = (rows: readonly Row[], name: string): Row => {
  const row = rows.find((one) => one.name === name);
  if (!row) throw new Error(`no row ${name}`);
  return row;
};

/** The fixed time-out with the fewest cold hits of those that are awake no longer than a policy. */
export function bestFixed(rows: readonly Row[], awakeHours: number): Row | undefined {
  return rows
    .filter((row) => row.name.startsWith('fixed') && row.awakeHours <= awakeHours)
    .sort((a, b) => coldOf(a) - coldOf(b))[0];
}

/** The three things that were asked of the policies. */
export function verdictTable(traces: readonly TraceRows[]): string {
  let sixty = 0;
  const lines = traces.map(({ name, rows }) => {
    const calendar = rowNamed(rows, 'calendar');
    const learned = rowNamed(rows, 'learned');
    const fixed = bestFixed(rows, learned.awakeHours);
    const longest = rowNamed(rows, `fixed ${Math.max(...FIXED_MINUTES)} min`);
    const [cold, best] = [coldOf(learned), fixed === undefined ? Infinity : coldOf(fixed)];
    if (cold <= 0.6 * best) sixty++;
    return [
      name,
      `${calendar.coldInTrading.toFixed(1)}: ${calendar.coldInTrading === 0 ? 'reached' : 'NOT REACHED'}`,
      `${cold.toFixed(1)} in ${learned.awakeHours.toFixed(0)} h`,
      fixed === undefined
        ? 'none sleeps so long'
        : `${fixed.name}: ${best.toFixed(1)} in ${fixed.awakeHours.toFixed(0)} h`,
      cold <= best ? 'reached' : 'NOT REACHED',
      percent(cold, best),
      `${percent(cold, coldOf(longest))} in ${percent(learned.awakeHours, longest.awakeHours)} of the time: ${isNoWorse(learned, longest) ? 'better in both' : 'NOT in both'}`,
    ];
  });
  const head = [
    'use',
    '`calendar`: no cold hit in trading hours',
    '`learned`',
    'best fixed with no more awake hours',
    'no more cold hits',
    'part of them',
    'beside the longest fixed',
  ];
  const half = sixty * 2 >= traces.length ? 'reached' : 'NOT REACHED';
  return `${markdown(head, lines)}\n\nAt most 60 % of the cold hits on at least half of the traces: ${sixty} of ${traces.length}, ${half}.`;
}

const isNoWorse = (a: Row, b: Row): boolean => coldOf(a) <= coldOf(b) && a.awakeHours <= b.awakeHours;

const percent = (part: number, whole: number): string =>
  Number.isFinite(whole) && whole > 0 ? `${Math.round((100 * part) / whole)} %` : '–';

function markdown(head: readonly string[], lines: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
