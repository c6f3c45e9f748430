import { BROKERS_WORK } from '../work/brokers-work.ts';
import { DESK_WORK } from '../work/desk-work.ts';
import { CROWD_LATENCY_MS, CROWD_WORK, type CrowdWork } from '../work/crowd-work.ts';
import type { Rows } from './find.ts';
import { figure } from './numbers.ts';
import { paired, pairedRatio } from './paired.ts';
import type { Summary } from './summary.ts';
import type { AddTarget } from './targets.ts';

/** What many callers for as many accounts get of a broker 20 ms away: `work/crowd-work.ts` measures it. */
export function addCrowdTargets(rows: Rows, add: AddTarget): void {
  const find = (system: string, work: CrowdWork, concurrency: number): Summary | undefined =>
    rows.find({ system, work, mode: 'saturated', upstreamLatencyMs: CROWD_LATENCY_MS, concurrency });
  const p50 = (summary: Summary | undefined): string => figure(summary?.latencyMs[50], ' ms');
  const rate = (summary: Summary | undefined): string => `${figure(summary?.perSecond)}/s`;

  for (const { system, floor, callers, bound, how } of [
    { system: 'vps-1', floor: 'node-undici-1', callers: 64, bound: 20, how: 'one session' },
    { system: 'vps', floor: 'node-undici-4', callers: 256, bound: 12, how: 'four sessions' },
    { system: 'vps', floor: 'node-undici-32', callers: 32, bound: 0.9, how: 'as it comes, against 32 sessions' },
  ]) {
    const ours = find(system, CROWD_WORK.reads, callers);
    const under = find(floor, CROWD_WORK.through, callers);
    add(
      `typed account, ${callers} callers, ${how}, over ${floor}`,
      pairedRatio(ours?.row, under?.row, 'per second'),
      'at least',
      bound,
      '×',
      `${rate(ours)} of ${rate(under)}`,
    );
  }

  for (const system of ['vps-1', 'vps']) {
    const storm = rows.find({ system, work: CROWD_WORK.storm, mode: 'storm' });
    const batch = find(system, CROWD_WORK.getBatch, 1);
    add(
      `storm of 100 distinct, warm, ${system}: p99 over one get_batch of as many`,
      pairedRatio(storm?.row, batch?.row, 'p50'),
      'at most',
      3,
      '×',
      `${p50(storm)} of ${p50(batch)}`,
    );
  }

  const lone = find('vps', CROWD_WORK.reads, 1);
  for (const { what, summary, bound } of [
    { what: '/v1/batch of 20 reads', summary: find('vps', CROWD_WORK.batch, 1), bound: 1.5 },
    { what: 'market order, whole', summary: find('vps', CROWD_WORK.order, 1), bound: 4.3 },
    { what: 'market order, minimal', summary: find('vps', CROWD_WORK.minimal, 1), bound: 3.3 },
    {
      what: 'market order, minimal, MARKET_ORDER_PRICE=none',
      summary: find('vps-none', CROWD_WORK.minimal, 1),
      bound: 2.3,
    },
  ])
    add(
      `${what}: p50 over a lone read`,
      pairedRatio(summary?.row, lone?.row, 'p50'),
      'at most',
      bound,
      '×',
      `${p50(summary)} of ${p50(lone)}`,
    );

  for (const { system, dealers, bound, how } of [
    { system: 'vps', dealers: 1, bound: 0.45, how: 'with quotes' },
    { system: 'vps-dealers-2', dealers: 2, bound: 0.45, how: 'with quotes' },
    { system: 'vps-none', dealers: 1, bound: 0.7, how: 'MARKET_ORDER_PRICE=none' },
    { system: 'vps-none-dealers-2', dealers: 2, bound: 0.7, how: 'MARKET_ORDER_PRICE=none' },
  ]) {
    const orders = find(system, CROWD_WORK.order, 32);
    const middle = lone?.latencyMs[50];
    add(
      `orders per round trip and dealer connection, ${dealers} of them, 32 callers, ${how}`,
      middle === undefined
        ? undefined
        : paired([orders?.row], 'per second', (perSecond) => (perSecond * middle) / 1_000 / dealers),
      'at least',
      bound,
      '',
      `${rate(orders)}, a round trip of ${p50(lone)}`,
    );
  }
}

/** A book of 50,000 accounts under the eyes of a risk desk: `work/desk-work.ts` measures it. */
export function addDeskTargets(rows: Rows, add: AddTarget): void {
  const find = (work: string): Summary | undefined => rows.find({ system: 'vps-desk', work, mode: 'desk' });
  const p99 = (summary: Summary | undefined): number | undefined => summary?.latencyMs[99];
  const [without, held, beside, lag] = [DESK_WORK.without, DESK_WORK.held, DESK_WORK.beside, DESK_WORK.lag].map(find);
  const told = find(DESK_WORK.told);
  if (!without && !beside && !lag && !told) return;
  const [toldMs, untoldMs] = [p99(told), p99(without)];
  add(
    'p99 of orders with audit and webhook over without',
    toldMs === undefined || untoldMs === undefined ? undefined : toldMs / untoldMs,
    'at most',
    1.15,
    '×',
    `${figure(toldMs, ' ms')} of ${figure(untoldMs, ' ms')}, ${figure(told?.done)} orders`,
  );
  add(
    '50,000 accounts: deal to a stream of all groups, p99',
    p99(lag),
    'at most',
    1_000,
    ' ms',
    `${figure(lag?.done)} deals`,
  );
  add(
    '50,000 accounts: memory of the container beside a desk',
    beside?.containerPeakRssMb,
    'at most',
    256,
    ' MB',
    `${figure(beside?.upstreamRequests)} upstream requests`,
  );
  add(
    '50,000 accounts: memory of the container that holds 50,000 positions for a stream',
    held?.containerPeakRssMb,
    'at most',
    256,
    ' MB',
    `whole after ${figure(held?.latencyMs[50], ' ms')}, ${figure(held?.upstreamRequests)} upstream requests`,
  );
  const [slow, quick] = [p99(beside), p99(without)];
  add(
    '50,000 accounts: p99 of orders beside a desk over without',
    slow === undefined || quick === undefined ? undefined : slow / quick,
    'at most',
    1.3,
    '×',
    `${figure(slow, ' ms')} of ${figure(quick, ' ms')}, ${figure(beside?.done)} orders`,
  );
}

/** One of two brokers is killed: `brokers.ts` measures the other. */
export function addBrokersTargets(rows: Rows, add: AddTarget): void {
  const find = (work: string): Summary | undefined => rows.find({ system: 'edge-brokers', work, mode: 'paced' });
  const [well, beside] = [find(BROKERS_WORK.well), find(BROKERS_WORK.beside)];
  const [wellMs, besideMs] = [well?.latencyMs[99], beside?.latencyMs[99]];
  if (!well && !beside) return;
  add(
    'two brokers: p99 of reads at one while the other is killed, over both well',
    wellMs === undefined || besideMs === undefined ? undefined : besideMs / wellMs,
    'at most',
    1.5,
    '×',
    `${figure(besideMs, ' ms')} of ${figure(wellMs, ' ms')}, ${figure(beside?.done)} reads, ${figure(beside?.failures)} failed`,
  );
  add('two brokers: sign-ins at one while the other is killed', beside?.signIns, 'at most', 0, '', '');
}
