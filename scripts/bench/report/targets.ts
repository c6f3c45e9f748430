import { addBrokersTargets, addCrowdTargets, addDeskTargets } from './crowd-targets.ts';
import { HTTP_CONNECTIONS } from '../work/requests.ts';
import { Rows } from './find.ts';
import type { Report } from './model.ts';
import { figure, ratio } from './numbers.ts';
import { paired, pairedRatio } from './paired.ts';
import type { Summary } from './summary.ts';

export interface Target {
  readonly what: string;
  /** What was measured against what. */
  readonly measured: string;
  readonly wanted: string;
  readonly verdict: 'met' | 'missed' | 'not measured';
}

type Comparison = 'at least' | 'at most';

export type AddTarget = (
  what: string,
  value: number | undefined,
  comparison: Comparison,
  bound: number,
  unit: '×' | ' ms' | ' MB' | '',
  detail: string,
) => void;

const judge = (value: number | undefined, comparison: Comparison, bound: number): Target['verdict'] => {
  if (value === undefined || !Number.isFinite(value)) return 'not measured';
  return (comparison === 'at least' ? value >= bound : value <= bound) ? 'met' : 'missed';
};

const divide = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined || b === 0 ? undefined : a / b;

/** The targets of this project, as ratios inside one run, so that they hold for whatever machine ran it. */
export function targetsOf(report: Report): Target[] {
  const rows = new Rows(report);
  const saturated = (system: string, work: string, upstreamLatencyMs = 0): Summary | undefined =>
    rows.find({ system, work, mode: 'saturated', upstreamLatencyMs, concurrency: HTTP_CONNECTIONS });
  const paced = (system: string, work: string): Summary | undefined =>
    rows.find({ system, work, mode: 'paced', upstreamLatencyMs: 0, concurrency: HTTP_CONNECTIONS });
  const p50 = (summary: Summary | undefined): number | undefined => summary?.latencyMs[50];
  const p99 = (summary: Summary | undefined): number | undefined => summary?.latencyMs[99];
  const targets: Target[] = [];
  const add: AddTarget = (what, value, comparison, bound, unit, detail) => {
    targets.push({
      what,
      measured: `${unit === '×' ? `${ratio(value)} ×` : figure(value, unit)} (${detail})`,
      wanted: `${comparison} ${bound}${unit === '×' ? ' ×' : unit}`,
      verdict: judge(value, comparison, bound),
    });
  };
  const throughputs = (a: Summary | undefined, b: Summary | undefined): string =>
    `${figure(a?.perSecond)}/s of ${figure(b?.perSecond)}/s`;

  const cached = saturated('vps', 'cached');
  const bare = saturated('node-http', 'cached');
  add(
    'cached read, container alone, against bare node:http',
    pairedRatio(cached?.row, bare?.row, 'per second'),
    'at least',
    0.65,
    '×',
    throughputs(cached, bare),
  );

  const uncounted = saturated('vps-uncounted', 'cached');
  const cpu = (summary: Summary | undefined): string =>
    figure(summary?.cpuMsPerDone === undefined ? undefined : summary.cpuMsPerDone * 1_000, ' µs');
  add(
    'what counting for /metrics costs: processor time of a cached read against the same program without',
    pairedRatio(cached?.row, uncounted?.row, 'CPU per answer'),
    'at most',
    1.05,
    '×',
    `${cpu(cached)} of ${cpu(uncounted)}`,
  );

  for (const { system, floor } of [
    { system: 'vps-1', floor: 'node-undici-1' },
    { system: 'vps', floor: 'node-undici-4' },
  ]) {
    for (const upstreamLatencyMs of [0, 20]) {
      const under = saturated(floor, 'passthrough', upstreamLatencyMs);
      for (const { work, bound } of [
        { work: 'passthrough', bound: upstreamLatencyMs === 0 ? 0.6 : 0.95 },
        { work: 'typed', bound: upstreamLatencyMs === 0 ? 0.4 : 0.95 },
      ]) {
        const ours = saturated(system, work, upstreamLatencyMs);
        add(
          `uncached ${work} read, ${floor.slice('node-undici-'.length)} pinned, broker at ${upstreamLatencyMs} ms, against node:http + undici`,
          pairedRatio(ours?.row, under?.row, 'per second'),
          'at least',
          bound,
          '×',
          throughputs(ours, under),
        );
      }
    }
  }

  const lone = rows.find({ system: 'vps-1', work: 'storm', mode: 'storm', concurrency: 1 });
  const storm = rows.find({ system: 'vps-1', work: 'storm', mode: 'storm', concurrency: 100 });
  add(
    'storm of 100 on a cold process: sign-ins',
    storm?.signIns,
    'at most',
    1,
    '',
    `${figure(storm?.failures)} failures`,
  );
  add(
    'storm of 100 on a cold process: failures',
    storm?.failures,
    'at most',
    0,
    '',
    `of ${figure(storm && storm.done + storm.failures)}`,
  );
  add(
    'storm of 100: p99 against one lone cold caller, identical reads',
    divide(p99(storm), p50(lone)),
    'at most',
    1.4,
    '×',
    `${figure(p99(storm), ' ms')} of ${figure(p50(lone), ' ms')}`,
  );
  const distinct = rows.find({ system: 'vps-1', work: 'storm, distinct reads', mode: 'storm', concurrency: 100 });
  add(
    'storm of 100: p99 against one lone cold caller, distinct reads',
    divide(p99(distinct), p50(lone)),
    'at most',
    1.8,
    '×',
    `${figure(p99(distinct), ' ms')} of ${figure(p50(lone), ' ms')}`,
  );
  addCrowdTargets(rows, add);

  const edgeCached = paced('edge', 'cached');
  const edgeFloor = paced('edge-floor', 'cached');
  const edgeFlatOut = saturated('edge', 'cached');
  const workerFloor = saturated('worker-floor', 'cached');
  add(
    'edge: reference read against an empty Worker',
    pairedRatio(edgeFlatOut?.row, workerFloor?.row, 'per second'),
    'at least',
    0.7,
    '×',
    throughputs(edgeFlatOut, workerFloor),
  );
  add(
    'edge: reference read p50 over the empty Container',
    pairedRatio(edgeCached?.row, edgeFloor?.row, 'p50'),
    'at most',
    0.6,
    '×',
    `${figure(p50(edgeCached), ' ms')} of ${figure(p50(edgeFloor), ' ms')}`,
  );
  for (const work of ['passthrough', 'typed']) {
    const through = paced('edge', work);
    const alone = paced('vps', work);
    const over = paired([through?.row, edgeFloor?.row, alone?.row], 'p50', (edge, floor, vps) => edge - floor - vps);
    add(
      `edge: uncached ${work} p50 beyond floor + container alone`,
      over,
      'at most',
      0.2,
      ' ms',
      `${figure(p50(through))} − ${figure(p50(edgeFloor))} − ${figure(p50(alone))} ms`,
    );
  }

  const start = (system: string, work: string): Summary | undefined => rows.find({ system, work, mode: 'start' });
  const listening = start('vps', 'listening');
  const startFloor = start('start-floor', 'listening');
  add(
    'process start to listening, against a bundle of the same packages',
    pairedRatio(listening?.row, startFloor?.row, 'p50'),
    'at most',
    1.5,
    '×',
    `${figure(p50(listening), ' ms')} of ${figure(p50(startFloor), ' ms')}`,
  );
  const first = p50(start('vps', 'first answer'));
  const signIn = p50(start('sign-in-floor', 'sign-in'));
  const listeningMs = p50(listening);
  const beyond =
    first === undefined || listeningMs === undefined || signIn === undefined ? undefined : first - listeningMs - signIn;
  add(
    'start to first authenticated answer, beyond listening + TLS + sign-in',
    beyond,
    'at most',
    50,
    ' ms',
    `${figure(first)} − ${figure(listeningMs)} − ${figure(signIn)} ms, the call of 20 ms included`,
  );

  const streams = rows.find({ system: 'vps', work: 'ticks', mode: 'stream', concurrency: 100 });
  add(
    'memory at 100 streams and 1,000 ticks/s',
    streams?.containerPeakRssMb,
    'at most',
    150,
    ' MB',
    `${figure(streams?.perSecond)} ticks/s delivered`,
  );
  const ours = rows.mostFanOut('fan-out');
  const loop = rows.mostFanOut('ws-loop');
  add(
    'fan-out to 100 clients, as much as it delivers, against a plain ws loop',
    pairedRatio(ours?.row, loop?.row, 'per second'),
    'at least',
    3,
    '×',
    throughputs(ours, loop),
  );
  const steady = rows.fanOut('fan-out', 100_000);
  add(
    'fan-out to 100 clients at 100,000 messages/s: p99',
    p99(steady),
    'at most',
    5,
    ' ms',
    `${figure(steady?.perSecond)}/s delivered; the ws loop ${figure(p99(rows.fanOut('ws-loop', 100_000)), ' ms')}`,
  );
  addDeskTargets(rows, add);
  addBrokersTargets(rows, add);
  return targets;
}
