import type { LoadJob, LoadResult } from '../load/job.ts';
import { around } from '../measure/around.ts';
import type { Child } from '../measure/child.ts';
import { LatencyHistogram } from '../measure/latency-histogram.ts';
import type { Sample } from '../report/model.ts';
import type { RunningSystem, System, WorkName } from '../systems/system.ts';
import { expectedStatusOf, isWrite, loadOf, requestsOf } from './requests.ts';

/** Longer than any job may take. */
export const SLACK_MS = 30_000;
/** At a broker far away, a batch takes a tenth of a second: fewer than a handful would be counted in less. */
export const SLOW_MS = 1_500;
/** So many answers of an open loop; where two minutes are for everything, so few. */
const PACED_ANSWERS = 20;
const PACED_ANSWERS_QUICK = 5;

export interface HttpMeasurement {
  readonly system: System;
  readonly running: RunningSystem;
  readonly load: Child;
  readonly work: WorkName;
  readonly mode: 'saturated' | 'paced';
  readonly upstreamLatencyMs: number;
  /** Not the usual number of this work. */
  readonly connections?: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  readonly repetition: number;
  /** A smoke test of everything: as short as stated, however few answers that gives. */
  readonly quick?: boolean;
}

export async function measureHttp(one: HttpMeasurement): Promise<Sample> {
  const { connections: usual, ratePerSecond } = loadOf(one.work, one.upstreamLatencyMs);
  const expectedStatus = expectedStatusOf(one.work);
  // At a low rate, longer, so that percentiles rest on enough answers.
  const answers = one.quick === true ? PACED_ANSWERS_QUICK : PACED_ANSWERS;
  const slowMs = one.upstreamLatencyMs > 0 && one.quick !== true ? SLOW_MS : 0;
  const enoughMs = one.mode === 'paced' ? (1_000 / ratePerSecond) * answers : slowMs;
  const durationMs = Math.max(one.durationMs, enoughMs);
  const job: LoadJob = {
    kind: one.mode,
    url: one.running.url,
    headers: one.running.headers,
    ...(one.running.ca === undefined ? {} : { ca: one.running.ca }),
    requests: requestsOf(one.work, one.system),
    connections: one.connections ?? usual,
    ratePerSecond,
    warmUpMs: one.warmUpMs,
    durationMs,
    ...(isWrite(one.work) ? { newKeyEach: true } : {}),
    ...(expectedStatus === undefined ? {} : { expectedStatus }),
  };
  const { result, server } = await around(one.running, () =>
    one.load.ask<LoadResult>(job, one.warmUpMs + durationMs + SLACK_MS),
  );
  return {
    repetition: one.repetition,
    ...sampleOf(result),
    ...server,
    // CPU and counters also saw the warm-up: per answer they are right with all answers, which only the sum tells.
    extra: { measuredShare: durationMs / (durationMs + one.warmUpMs), answerBytes: result.answerBytes },
  };
}

export const sampleOf = (
  result: LoadResult,
): Pick<
  Sample,
  'durationMs' | 'done' | 'perSecond' | 'histogram' | 'failures' | 'firstFailure' | 'generatorCpuMs'
> => ({
  durationMs: result.durationMs,
  done: result.answered,
  perSecond: (result.answered / result.durationMs) * 1_000,
  histogram: result.histogram,
  failures: result.failures,
  generatorCpuMs: result.generatorCpuMs,
  ...(result.firstFailure === undefined ? {} : { firstFailure: result.firstFailure }),
});

/** So many callers at one moment on a process that has just been started, or on none. */
export async function measureStorm(options: {
  readonly system: System;
  readonly running: RunningSystem;
  readonly load: Child;
  readonly callers: number;
  readonly distinct: boolean;
  readonly repetition: number;
}): Promise<Sample> {
  const { running, callers } = options;
  if (!running.makeCold) throw new Error(`${options.system.name} cannot be made cold`);
  await running.makeCold();
  const requests = requestsOf(options.system.kind === 'floor' ? 'cached' : 'typed', options.system);
  const { result, server } = await around(running, () =>
    options.load.ask<LoadResult>(
      {
        kind: 'burst',
        url: running.url,
        headers: running.headers,
        requests: options.distinct ? requests : requests.slice(0, 1),
        callers,
        deadlineMs: 35_000,
      },
      60_000,
    ),
  );
  return { repetition: options.repetition, ...sampleOf(result), ...server };
}

/** Sign-in and first read of a session, one after the other on fresh connections: the floor of a cold start. */
export const latenciesSample = (repetition: number, latenciesMs: readonly number[]): Sample => ({
  repetition,
  durationMs: latenciesMs.reduce((sum, each) => sum + each, 0),
  done: latenciesMs.length,
  perSecond: 0,
  histogram: LatencyHistogram.of(latenciesMs).encode(),
  failures: {},
  generatorCpuMs: 0,
});
