import { bill } from '../../../container/state/cost/bill.ts';
import { MARKET_HOURS, MONTH_HOURS, USUAL_MONTH, VPS_USD } from '../../usual-month.ts';
import { HTTP_CONNECTIONS, loadOf } from '../work/requests.ts';
import { Rows, type Query } from './find.ts';
import { networkTables } from './network-model.ts';
import type { Report } from './model.ts';
import { figure } from './numbers.ts';
import { bars, spreads } from './plot.ts';
import type { Summary } from './summary.ts';
import type { Table } from './tables.ts';

/** The roads from a caller to the broker, side by side: tables and plots for the report and for the guide. */

const ROADS = [
  { system: 'vps', title: 'VPS' },
  { system: 'vps-nginx', title: 'VPS behind nginx' },
  { system: 'edge', title: 'edge' },
  { system: 'fallback', title: 'Worker over a VPS' },
] as const;
type Road = (typeof ROADS)[number];

const WORKS = [
  { work: 'cached', title: 'reference read' },
  { work: 'typed', title: 'read of an account' },
  { work: 'passthrough', title: 'passthrough read' },
  { work: 'batch', title: 'batch of 20 reads' },
  { work: 'order', title: 'market order' },
] as const;

const CLIENTS = 100;

interface Cell {
  readonly road: Road;
  readonly title: string;
  readonly summary: Summary;
}

/** What was measured of these, in the order of the works and then of the roads. */
function cellsOf(rows: Rows, mode: 'saturated' | 'paced'): Cell[] {
  return WORKS.flatMap(({ work, title }) =>
    ROADS.flatMap((road) => {
      const { connections: concurrency } = loadOf(work, 0);
      const summary = rows.find({ system: road.system, work, mode, upstreamLatencyMs: 0, concurrency });
      return summary ? [{ road, title, summary }] : [];
    }),
  );
}

function ticksOf(rows: Rows): Cell[] {
  return ROADS.flatMap((road) => {
    const summary = rows.find({ system: road.system, work: 'ticks', mode: 'stream', concurrency: CLIENTS });
    return summary ? [{ road, title: `tick to ${CLIENTS} clients`, summary }] : [];
  });
}

/** One caller and a hundred at once, on a process that does not run yet. */
function coldStartsOf(rows: Rows): { title: string; system: string; summary: Summary }[] {
  return [1, 100].flatMap((callers) =>
    [
      { system: 'vps-1', title: 'VPS' },
      { system: 'edge-cold', title: 'edge' },
    ].flatMap(({ system, title }) => {
      const query: Query = { system, work: 'storm', mode: 'storm', concurrency: callers };
      const summary = rows.find(query);
      const who = callers === 1 ? 'one caller' : `${callers} callers at once`;
      return summary ? [{ title: `${title} · ${who}`, system, summary }] : [];
    }),
  );
}

interface Memory {
  readonly road: Road;
  readonly containerMb: number | undefined;
  readonly allMb: number | undefined;
}

/** Under the reads of accounts. */
const memoryOf = (rows: Rows): Memory[] =>
  ROADS.flatMap((road) => {
    const summary = rows.find({
      system: road.system,
      work: 'typed',
      mode: 'saturated',
      upstreamLatencyMs: 0,
      concurrency: HTTP_CONNECTIONS,
    });
    return summary ? [{ road, containerMb: summary.containerPeakRssMb, allMb: summary.peakRssMb }] : [];
  });

interface MonthCost {
  readonly what: string;
  readonly system: string;
  readonly usd: number;
}

const edgeMonth = (instanceType: 'lite' | 'basic', awakeHours: number): number =>
  bill({ ...USUAL_MONTH, instanceType, awakeSeconds: awakeHours * 3_600 }).totalUsd;

/** By the model of `npm run cost`: list prices, the Workers Paid plan included. */
function monthCosts(): MonthCost[] {
  return [
    { what: 'VPS with 1 GiB', system: 'vps', usd: VPS_USD },
    { what: 'Worker over a VPS: no container', system: 'fallback', usd: edgeMonth('basic', 0) + VPS_USD },
    { what: 'edge, lite, market hours', system: 'edge', usd: edgeMonth('lite', MARKET_HOURS) },
    { what: 'edge, lite, always awake', system: 'edge', usd: edgeMonth('lite', MONTH_HOURS) },
    { what: 'edge, basic, market hours', system: 'edge', usd: edgeMonth('basic', MARKET_HOURS) },
    { what: 'edge, basic, always awake', system: 'edge', usd: edgeMonth('basic', MONTH_HOURS) },
    {
      what: 'edge, basic, always awake, and a VPS as its fallback',
      system: 'edge',
      usd: edgeMonth('basic', MONTH_HOURS) + VPS_USD,
    },
  ];
}

const usd = (value: number): string => `$${value.toFixed(2)}`;

export function comparisonTables(report: Report): Table[] {
  const rows = new Rows(report);
  const percentiles = ({ latencyMs }: Summary): string[] => [50, 90, 99].map((at) => figure(latencyMs[at], ' ms'));
  return [
    {
      title: 'Roads side by side: throughput',
      plot: 'throughput',
      head: ['request', 'road', 'answers/s', 'CPU per answer', 'failed'],
      rows: cellsOf(rows, 'saturated').map(({ title, road, summary }) => [
        title,
        road.title,
        figure(summary.perSecond),
        figure(summary.cpuMsPerDone, ' ms'),
        `${figure(summary.failures)} of ${figure(summary.done + summary.failures)}`,
      ]),
    },
    {
      title: 'Roads side by side: latency',
      plot: 'latency',
      head: ['request', 'road', 'p50', 'p90', 'p99', 'failed'],
      rows: [...cellsOf(rows, 'paced'), ...ticksOf(rows)].map(({ title, road, summary }) => [
        title,
        road.title,
        ...percentiles(summary),
        `${figure(summary.failures)} of ${figure(summary.done + summary.failures)}`,
      ]),
    },
    {
      title: 'Roads side by side: cold start',
      plot: 'cold-start',
      head: ['who asks', 'p50', 'p90', 'p99', 'sign-ins'],
      rows: coldStartsOf(rows).map(({ title, summary }) => [title, ...percentiles(summary), figure(summary.signIns)]),
    },
    {
      title: 'Roads side by side: memory',
      plot: 'memory',
      head: ['road', 'container program', 'everything (workerd or nginx included)'],
      rows: memoryOf(rows).map(({ road, containerMb, allMb }) => [
        road.title,
        figure(containerMb, ' MB'),
        figure(allMb, ' MB'),
      ]),
    },
    {
      title: 'Roads side by side: cost of a month',
      plot: 'cost',
      head: ['what', 'USD a month'],
      rows: monthCosts().map(({ what, usd: value }) => [what, usd(value)]),
    },
    ...networkTables(report),
  ];
}

/** By name; without those of which nothing was measured. */
export function comparisonPlots(report: Report): Readonly<Record<string, string>> {
  const rows = new Rows(report);
  const label = ({ title, road }: Cell): string => `${title} · ${road.title}`;
  const plots = {
    throughput: bars(
      'Answers a second',
      cellsOf(rows, 'saturated').map((cell) => ({
        label: label(cell),
        system: cell.road.system,
        value: cell.summary.perSecond,
        text: figure(cell.summary.perSecond, '/s'),
      })),
    ),
    latency: spreads(
      'Latency',
      [...cellsOf(rows, 'paced'), ...ticksOf(rows)].map((cell) => {
        const { 50: p50 = Number.NaN, 90: p90 = Number.NaN, 99: p99 = Number.NaN } = cell.summary.latencyMs;
        const text = `${figure(p50)} … ${figure(p99, ' ms')}`;
        return { label: label(cell), system: cell.road.system, p50, p90, p99, text };
      }),
    ),
    'cold-start': bars(
      'Cold start, sign-in of 150 ms included: p99',
      coldStartsOf(rows).map(({ title, system, summary }) => {
        const value = summary.latencyMs[99] ?? Number.NaN;
        return { label: title, system, value, text: figure(value, ' ms') };
      }),
    ),
    memory: bars(
      'Memory of all processes under reads',
      memoryOf(rows).map(({ road, allMb }) => ({
        label: road.title,
        system: road.system,
        value: allMb ?? Number.NaN,
        text: figure(allMb, ' MB'),
      })),
      'linear',
    ),
    cost: bars(
      'A month',
      monthCosts().map(({ what, system, usd: value }) => ({ label: what, system, value, text: usd(value) })),
      'linear',
    ),
  };
  return Object.fromEntries(Object.entries(plots).filter(([, svg]) => svg !== ''));
}
