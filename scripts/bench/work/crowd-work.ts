import type { LoadRequest, LoadResult } from '../load/job.ts';
import { around } from '../measure/around.ts';
import type { Child } from '../measure/child.ts';
import { LatencyHistogram } from '../measure/latency-histogram.ts';
import type { Mode, Sample } from '../report/model.ts';
import type { RunningSystem } from '../systems/system.ts';
import { sampleOf, SLACK_MS } from './http-work.ts';

/** Clients of the simulator's book beyond those with years of deals. So many that callers never ask for the same. */
const CROWD = Array.from({ length: 1_024 }, (_, index) => 1_101 + index);
/** `--clients` of the simulators. */
export const CROWD_CLIENTS = 1_200;
export const CROWD_LATENCY_MS = 20;
const BATCH_READS = 20;
/** One caller takes turns between so many: by the second order for each, its group is known. Of more, each has its own. */
const LONE_ORDER_LOGINS = 4;
/** An order takes several round trips: for the first of every login, and a dozen that count. */
const ORDER_WARM_UP_MS = 600;
const ORDER_MS = 1_000;
const STORM_CALLERS = 100;
/** One storm takes a few round trips: so many are one sample. */
const STORMS = 5;

/** Names of the rows: `report/crowd-targets.ts` looks them up. */
export const CROWD_WORK = {
  reads: 'typed, 1,024 logins',
  through: 'passthrough, 1,024 logins',
  batch: 'batch of 20, 1,024 logins',
  order: 'order, logins of one’s own',
  minimal: 'order, minimal, logins of one’s own',
  storm: 'warm storm, distinct reads',
  getBatch: 'one get_batch of 100',
} as const;
export type CrowdWork = (typeof CROWD_WORK)[keyof typeof CROWD_WORK];

/** One row on each of these systems. */
export interface CrowdRow {
  readonly systems: readonly string[];
  readonly work: CrowdWork;
  readonly mode: Extract<Mode, 'saturated' | 'storm'>;
  readonly callers: number;
}

const row = (mode: CrowdRow['mode'], work: CrowdWork, callers: number, ...systems: readonly string[]): CrowdRow => ({
  mode,
  work,
  callers,
  systems,
});

/** What waits together can travel together: many callers for as many accounts, at a broker far away. */
export const CROWD_ROWS: readonly CrowdRow[] = [
  row('saturated', CROWD_WORK.reads, 64, 'vps-1'),
  row('saturated', CROWD_WORK.through, 64, 'node-undici-1'),
  row('saturated', CROWD_WORK.reads, 256, 'vps'),
  row('saturated', CROWD_WORK.through, 256, 'node-undici-4'),
  row('saturated', CROWD_WORK.reads, 32, 'vps'),
  row('saturated', CROWD_WORK.through, 32, 'node-undici-32'),
  row('storm', CROWD_WORK.storm, STORM_CALLERS, 'vps-1', 'vps'),
  row('saturated', CROWD_WORK.getBatch, 1, 'vps-1', 'vps'),
  row('saturated', CROWD_WORK.reads, 1, 'vps'),
  row('saturated', CROWD_WORK.batch, 1, 'vps'),
  row('saturated', CROWD_WORK.order, 1, 'vps'),
  row('saturated', CROWD_WORK.minimal, 1, 'vps', 'vps-none'),
  row('saturated', CROWD_WORK.order, 32, 'vps', 'vps-none', 'vps-dealers-2', 'vps-none-dealers-2'),
];

const isOrder = (work: CrowdWork): boolean => work === CROWD_WORK.order || work === CROWD_WORK.minimal;

export const takesOrders = (system: string): boolean =>
  CROWD_ROWS.some(({ work, systems }) => isOrder(work) && systems.includes(system));

const get = (path: string): LoadRequest => ({ method: 'GET', path });
const money = (login: number): string => `/v1/accounts/${login}/money`;

export function requestsOf({ work, callers }: Pick<CrowdRow, 'work' | 'callers'>): readonly LoadRequest[] {
  switch (work) {
    case CROWD_WORK.reads:
    case CROWD_WORK.storm:
      return CROWD.map((login) => get(money(login)));
    case CROWD_WORK.through:
      return CROWD.map((login) => get(`/api/user/account/get?login=${login}`));
    case CROWD_WORK.getBatch:
      return [get(`/api/user/account/get_batch?login=${CROWD.slice(0, STORM_CALLERS).join(',')}`)];
    case CROWD_WORK.batch:
      return Array.from({ length: Math.floor(CROWD.length / BATCH_READS) }, (_, batch) => ({
        method: 'POST' as const,
        path: '/v1/batch',
        body: JSON.stringify({
          requests: CROWD.slice(batch * BATCH_READS, (batch + 1) * BATCH_READS).map((login) => ({
            path: money(login),
          })),
        }),
      }));
    case CROWD_WORK.order:
    case CROWD_WORK.minimal:
      return CROWD.slice(0, Math.max(LONE_ORDER_LOGINS, callers)).map((login, index) => ({
        method: 'POST' as const,
        path: '/v1/orders',
        body: JSON.stringify({
          login,
          symbol: 'EURUSD',
          side: index % 2 === 0 ? 'buy' : 'sell',
          type: 'market',
          volume: '0.01',
        }),
      }));
    default:
      return work satisfies never;
  }
}

export interface CrowdMeasurement {
  readonly row: CrowdRow;
  readonly running: RunningSystem;
  readonly load: Child;
  readonly warmUpMs: number;
  readonly durationMs: number;
  readonly repetition: number;
}

export async function measureCrowd(one: CrowdMeasurement): Promise<Sample> {
  const { row: asked, running, load } = one;
  const warmUpMs = isOrder(asked.work) ? Math.max(ORDER_WARM_UP_MS, one.warmUpMs) : one.warmUpMs;
  const durationMs = isOrder(asked.work) ? Math.max(ORDER_MS, one.durationMs) : one.durationMs;
  const target = {
    url: running.url,
    headers: { ...running.headers, ...(asked.work === CROWD_WORK.minimal ? { Prefer: 'return=minimal' } : {}) },
    requests: requestsOf(asked),
    ...(isOrder(asked.work) ? { newKeyEach: true } : {}),
  };
  const { result, server } = await around(running, async () => {
    if (asked.mode === 'storm') return storms(load, target, asked.callers);
    const job = { ...target, kind: 'saturated' as const, connections: asked.callers, warmUpMs, durationMs };
    return load.ask<LoadResult>(job, warmUpMs + durationMs + SLACK_MS);
  });
  const measuredShare = asked.mode === 'storm' ? 1 : durationMs / (durationMs + warmUpMs);
  return { repetition: one.repetition, ...sampleOf(result), ...server, extra: { measuredShare } };
}

/** One after the other on a process that is signed in: of each, the time until its last caller is answered. */
async function storms(
  load: Child,
  target: {
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly requests: readonly LoadRequest[];
  },
  callers: number,
): Promise<LoadResult> {
  const results: LoadResult[] = [];
  for (let storm = 0; storm < STORMS; storm++)
    results.push(
      await load.ask<LoadResult>({ ...target, kind: 'burst', callers, deadlineMs: 35_000 }, SLACK_MS + 35_000),
    );
  const sum = (read: (result: LoadResult) => number): number => results.reduce((all, each) => all + read(each), 0);
  const firstFailure = results.find((each) => each.firstFailure !== undefined)?.firstFailure;
  const failures: Record<string, number> = {};
  for (const each of results)
    for (const [kind, count] of Object.entries(each.failures)) failures[kind] = (failures[kind] ?? 0) + count;
  return {
    answered: sum(({ answered }) => answered),
    durationMs: sum((each) => each.durationMs),
    histogram: LatencyHistogram.of(results.map((each) => LatencyHistogram.decode(each.histogram).atMs(99))).encode(),
    failures,
    generatorCpuMs: sum(({ generatorCpuMs }) => generatorCpuMs),
    answerBytes: results.at(-1)?.answerBytes ?? 0,
    ...(firstFailure === undefined ? {} : { firstFailure }),
  };
}
