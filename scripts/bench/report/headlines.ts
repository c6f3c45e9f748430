import { HTTP_CONNECTIONS } from '../work/requests.ts';
import { Rows, type Query } from './find.ts';
import type { Report } from './model.ts';
import { figure } from './numbers.ts';
import { extraOf, type Summary } from './summary.ts';

/** One row of what earlier systems of this kind publish (peers.md §4.1), with what was measured here. */
export interface Headline {
  readonly what: string;
  readonly vps: string;
  readonly edge: string;
  /** How many answers the figure rests on. */
  readonly answers: string;
}

/** Connections at which the earlier systems state their resources. */
const CLIENTS = [25, 50, 100, 200];

export function headlinesOf(report: Report): Headline[] {
  const rows = new Rows(report);
  const ms =
    (at: number) =>
    (summary: Summary | undefined): string =>
      figure(summary?.latencyMs[at], ' ms');
  const rate =
    (unit: string) =>
    (summary: Summary | undefined): string =>
      figure(summary?.perSecond, unit);
  const line = (
    what: string,
    query: Omit<Query, 'system'>,
    show: (summary: Summary | undefined) => string,
    names: { readonly vps?: string; readonly edge?: string } = {},
  ): Headline => {
    const vps = rows.find({ ...query, system: names.vps ?? 'vps' });
    const edge = rows.find({ ...query, system: names.edge ?? 'edge' });
    return { what, vps: show(vps), edge: show(edge), answers: `${figure(vps?.done)} / ${figure(edge?.done)}` };
  };
  const paced = (work: string): Omit<Query, 'system'> => ({ work, mode: 'paced', upstreamLatencyMs: 0 });
  const saturated = (work: string, concurrency?: number): Omit<Query, 'system'> => ({
    work,
    mode: 'saturated',
    upstreamLatencyMs: 0,
    ...(concurrency === undefined ? {} : { concurrency }),
  });
  const cold = { vps: 'vps-1', edge: 'edge-cold' };
  const storm = (concurrency: number): Omit<Query, 'system'> => ({ work: 'storm', mode: 'storm', concurrency });
  const stream = (concurrency: number): Omit<Query, 'system'> => ({ work: 'ticks', mode: 'stream', concurrency });
  const reuse = (summary: Summary | undefined): string =>
    summary?.upstreamRequests
      ? figure((1 - (summary.signIns ?? 0) / summary.upstreamRequests) * 100, ' %')
      : figure(undefined);
  const share = (systems: readonly string[]): string => {
    const own = rows.all().filter(({ row }) => systems.includes(row.system));
    const done = own.reduce((sum, summary) => sum + summary.done, 0);
    const failed = own.reduce((sum, summary) => sum + summary.failures, 0);
    return done + failed === 0
      ? figure(undefined)
      : `${((done / (done + failed)) * 100).toFixed(3)} % of ${figure(done + failed)}`;
  };
  const start = rows.find({ system: 'vps', work: 'listening', mode: 'start' });
  const firstAnswer = rows.find({ system: 'vps', work: 'first answer', mode: 'start' });
  const signIn = rows.find({ system: 'sign-in-floor', work: 'sign-in', mode: 'start' });
  return [
    {
      what: 'authentication: TLS + sign-in at a broker 20 ms away',
      vps: ms(50)(signIn),
      edge: 'the same connection',
      answers: figure(signIn?.done),
    },
    {
      what: 'start-up: process to listening',
      vps: ms(50)(start),
      edge: 'the same program',
      answers: figure(start?.done),
    },
    {
      what: 'start-up: process to first authenticated answer',
      vps: ms(50)(firstAnswer),
      edge: '–',
      answers: figure(firstAnswer?.done),
    },
    line('cold start: one caller, sign-in of 150 ms and call of 20 ms included', storm(1), ms(50), cold),
    {
      what: 'cold start: one caller, an empty Container that signs in nowhere',
      vps: '–',
      edge: ms(50)(rows.find({ ...storm(1), system: 'edge-floor' })),
      answers: figure(rows.find({ ...storm(1), system: 'edge-floor' })?.done),
    },
    line('cold start: 100 callers at once, p99', storm(100), ms(99), cold),
    line('cold start: sign-ins for 100 callers', storm(100), (summary) => figure(summary?.signIns), cold),
    line('persistent connection: share of upstream requests without a new sign-in', saturated('passthrough'), reuse),
    line('session persistence: sign-ins during the uncached load', saturated('passthrough'), (summary) =>
      figure(summary?.signIns),
    ),
    line('REST latency, uncached typed read, p50', paced('typed'), ms(50)),
    line('REST latency, uncached typed read, p99', paced('typed'), ms(99)),
    line('mean response, uncached typed read', paced('typed'), (summary) => figure(summary?.meanMs, ' ms')),
    line('cached read latency, p50', paced('cached'), ms(50)),
    line('cached reads: upstream requests per 1,000 answers (hit rate)', saturated('cached'), (summary) =>
      summary
        ? figure(((summary.upstreamRequests ?? 0) * summary.repetitions * 1000) / Math.max(1, summary.done))
        : figure(undefined),
    ),
    line('order latency, dealer answering at once, p50', paced('order'), ms(50)),
    line('order throughput', saturated('order'), rate(' orders/s')),
    line('HTTP throughput, cached', saturated('cached'), rate(' req/s')),
    line('HTTP throughput, uncached typed', saturated('typed', HTTP_CONNECTIONS), rate(' req/s')),
    line('HTTP throughput, uncached passthrough', saturated('passthrough'), rate(' req/s')),
    line('batch of 20 reads, p50', paced('batch'), ms(50)),
    line('the worst body of 256 KiB known, refused: p50', paced('worst-body'), ms(50)),
    line('real-time updates: tick at the broker to client, p50, 100 clients', stream(100), ms(50)),
    line('real-time updates: the same, p99', stream(100), ms(99)),
    line('WebSocket latency: ping to pong beside the ticks of 100 clients, p50', stream(100), (summary) =>
      figure(extraOf(summary?.row, 'pingP50Ms'), ' ms'),
    ),
    line('WebSocket latency: the same, p99', stream(100), (summary) =>
      figure(extraOf(summary?.row, 'pingP99Ms'), ' ms'),
    ),
    line('WebSocket throughput, 100 clients: frames', stream(100), (summary) =>
      figure(extraOf(summary?.row, 'framesPerSecond'), ' frames/s'),
    ),
    {
      what: 'WebSocket throughput, 100 clients, stream service alone',
      vps: figure(rows.mostFanOut('fan-out')?.perSecond, ' messages/s'),
      edge: '–',
      answers: '',
    },
    line('tick throughput, 100 clients', stream(100), rate(' ticks/s')),
    {
      what: 'CPU of a cold start: from nothing to the first authenticated answer (of the edge: workerd included)',
      vps: figure(firstAnswer?.cpuMsPerDone, ' ms'),
      edge: figure(rows.find({ ...storm(1), system: 'edge-cold' })?.cpuMsPerDone, ' ms'),
      answers: `${figure(firstAnswer?.done)} / ${figure(rows.find({ ...storm(1), system: 'edge-cold' })?.done)}`,
    },
    ...CLIENTS.map((clients) =>
      line(`CPU per uncached typed read, ${clients} connections`, saturated('typed', clients), (summary) =>
        figure(summary?.cpuMsPerDone, ' ms'),
      ),
    ),
    ...CLIENTS.map((clients) =>
      line(`CPU per tick delivered, ${clients} clients`, stream(clients), (summary) =>
        figure(summary?.cpuMsPerDone && summary.cpuMsPerDone * 1000, ' µs'),
      ),
    ),
    ...CLIENTS.map((clients) =>
      line(`peak memory of the container, ${clients} connections reading`, saturated('typed', clients), memory),
    ),
    ...CLIENTS.map((clients) => line(`peak memory of the container with ${clients} streams`, stream(clients), memory)),
    ...CLIENTS.map((clients) => line(`CPU with ${clients} streams, 1,000 ticks/s`, stream(clients), busy)),
    line('billable memory: an hour awake, as the program uses it', stream(100), (summary) =>
      figure(summary?.containerPeakRssMb && (summary.containerPeakRssMb / 1024) * 3600, ' GiB-s'),
    ),
    {
      what: 'success',
      vps: share(['vps', 'vps-1', 'vps-nginx']),
      edge: share(['edge', 'edge-cold', 'fallback']),
      answers: '',
    },
  ];
}

const memory = (summary: Summary | undefined): string => figure(summary?.containerPeakRssMb, ' MB');

/** CPU time per wall time of everything on the server's side. */
const busy = (summary: Summary | undefined): string =>
  summary?.cpuMsPerDone === undefined
    ? figure(undefined)
    : figure((summary.cpuMsPerDone * summary.perSecond) / 10, ' % of a core');
