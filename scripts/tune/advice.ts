import type { JournalEvent } from '../../container/contract/journal.ts';
import type { TradingCalendar } from '../../container/contract/trading-calendar.ts';
import { bill, cents, NOTHING } from '../../container/state/cost/bill.ts';
import type { InstanceType } from '../../container/state/cost/prices.ts';
import type { PolicySettings } from '../../worker/holder/policy/awake.ts';
import { TradingHours } from '../../worker/holder/policy/trading-hours.ts';
import { type Row, rowOf, tableOf } from '../sleep/report.ts';
import { simulate } from '../sleep/simulate.ts';
import { policy } from '../sleep/strategies.ts';
import { MINUTE_MS } from '../sleep/traces.ts';
import { cronLines } from './crons.ts';
import { type Demand, requestsAhead, SPAN_DAYS, spanFrom } from './demand.ts';

export interface JournalItem {
  readonly atMs: number;
  readonly event: JournalEvent;
  readonly reason: string;
}

export interface BrokerFacts {
  readonly id: string;
  readonly calendar: TradingCalendar;
  readonly demand: Demand;
  readonly journal: readonly JournalItem[];
}

interface Candidate {
  readonly policy: PolicySettings['policy'];
  readonly sleepAfterMinutes: number;
}

const CANDIDATES: readonly Candidate[] = [
  ...[5, 10, 30, 60].map((sleepAfterMinutes) => ({ policy: 'fixed', sleepAfterMinutes }) as const),
  ...[10, 30].map((sleepAfterMinutes) => ({ policy: 'calendar', sleepAfterMinutes }) as const),
  ...[10, 30].map((sleepAfterMinutes) => ({ policy: 'learned', sleepAfterMinutes }) as const),
];
/** What is not worth a cold hit a month. */
const CENT_USD = 0.01;
/** The second hand of a cron: often enough that a lost wake-up is made up for before anybody has waited long. */
const CRON_EVERY_MINUTES = 5;
const KILLED = /exit code 137\b/;

export interface Advice {
  readonly id: string;
  readonly sleepPolicy: PolicySettings['policy'];
  readonly sleepAfter: string;
  readonly crons: readonly string[];
  readonly instanceType: InstanceType;
  readonly why: string;
  readonly chosen: Row;
  readonly rows: readonly Row[];
}

/** @param index of the broker: its crons fire at other minutes than those before it */
export function advise({ id, calendar, demand, journal }: BrokerFacts, index: number, nowMs: number): Advice {
  const span = spanFrom(nowMs);
  const requests = requestsAhead(demand, span);
  const trading = new TradingHours(calendar);
  const tried = CANDIDATES.map((candidate) => {
    const settings = { policy: candidate.policy, sleepAfterMs: candidate.sleepAfterMinutes * MINUTE_MS };
    const outcome = simulate(policy(settings, calendar, span.fromMs), requests, span, (ms) => trading.isOpen(ms));
    return { candidate, row: rowOf(`${candidate.policy}, ${candidate.sleepAfterMinutes}m`, outcome) };
  });
  const best = tried.reduce((a, b) => (isBetter(b.row, a.row) ? b : a));
  const kills = journal.filter(({ event, reason }) => event === 'crash' && KILLED.test(reason)).length;
  return {
    id,
    sleepPolicy: best.candidate.policy,
    sleepAfter: `${best.candidate.sleepAfterMinutes}m`,
    crons: cronLines(calendar, { fromMs: nowMs, everyMinutes: CRON_EVERY_MINUTES, offsetMinutes: index }),
    instanceType: kills > 0 ? 'standard-1' : 'basic',
    why:
      kills > 0
        ? `the journal tells of ${kills} ends by exit code 137: most likely too little memory`
        : 'a first answer in about 1.4 s; lite takes 4.4 s for it and has no room for many streams',
    chosen: best.row,
    rows: tried.map(({ row }) => row),
  };
}

/** No cold hit in trading hours comes first, then the bill, then cold hits outside. */
function isBetter(a: Row, b: Row): boolean {
  if (a.coldInTrading !== b.coldInTrading) return a.coldInTrading < b.coldInTrading;
  if (Math.abs(a.usd - b.usd) >= CENT_USD) return a.usd < b.usd;
  return a.coldOutside < b.coldOutside;
}

export function textOf(advice: Advice, facts: BrokerFacts): string {
  const { chosen } = advice;
  const usd = (type: InstanceType): string =>
    cents(bill({ ...NOTHING, instanceType: type, awakeSeconds: chosen.awakeHours * 3600 }).totalUsd);
  return `## ${advice.id}

${facts.demand.source}

"SLEEP_POLICY": "${advice.sleepPolicy}",
"SLEEP_AFTER": "${advice.sleepAfter}",
"instance_type": "${advice.instanceType}" and "INSTANCE_TYPE": "${advice.instanceType}": ${advice.why}.

Expected a month: ${chosen.coldInTrading.toFixed(1)} cold hits in trading hours, ${chosen.coldOutside.toFixed(1)} outside, ${chosen.awakeHours.toFixed(0)} hours awake, ${usd(advice.instanceType)} USD (list prices, the plan included; lite ${usd('lite')}, basic ${usd('basic')}, standard-1 ${usd('standard-1')}).

All that was tried, over ${SPAN_DAYS} days to come with their holidays and changes of clocks, dollars of basic:

${tableOf(advice.rows)}
`;
}

/** One list for the Worker: each firing looks after every broker, one after the other. */
export function cronsText(advices: readonly Advice[]): string {
  const lines = [...new Set(advices.flatMap(({ crons }) => crons))];
  const note =
    advices.length > 1
      ? 'Brokers take turns by the minute, so that a firing that is lost is made up for by the next.'
      : '';
  return `"triggers": { "crons": ${JSON.stringify(lines)} }\n${note}`;
}
