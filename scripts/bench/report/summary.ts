import { LatencyHistogram } from '../measure/latency-histogram.ts';
import { median } from '../measure/statistics.ts';
import type { Row, Sample } from './model.ts';

export const PERCENTILES = [50, 90, 99, 99.9] as const;

/** Medians over the repetitions of one row; of the longest, the longest of all. */
export interface Summary {
  readonly row: Row;
  readonly repetitions: number;
  readonly done: number;
  readonly failures: number;
  readonly perSecond: number;
  /** By percentile, in ms. */
  readonly latencyMs: Readonly<Record<number, number>>;
  readonly meanMs: number;
  readonly maxMs: number;
  /** Of everything on the server's side, per answer or tick. */
  readonly cpuMsPerDone: number | undefined;
  readonly containerCpuMsPerDone: number | undefined;
  readonly peakRssMb: number | undefined;
  readonly containerPeakRssMb: number | undefined;
  /** The load process was busy for so much of the time: near 1, it was the limit. */
  readonly generatorBusy: number;
  readonly signIns: number | undefined;
  readonly upstreamConnections: number | undefined;
  readonly upstreamRequests: number | undefined;
  readonly mutations: number | undefined;
}

const MB = 1024 * 1024;

export function summarise(row: Row): Summary {
  const { samples } = row;
  const histograms = samples
    .map(({ histogram }) => LatencyHistogram.decode(histogram))
    .filter(({ count }) => count > 0);
  const of = (read: (sample: Sample) => number | undefined): number | undefined =>
    median(samples.map(read).filter((value) => value !== undefined));
  const percentile = (at: number): number => median(histograms.map((histogram) => histogram.atMs(at))) ?? Number.NaN;
  return {
    row,
    repetitions: samples.length,
    done: samples.reduce((sum, { done }) => sum + done, 0),
    failures: samples.reduce((sum, each) => sum + failuresOf(each), 0),
    perSecond: of(({ perSecond }) => perSecond) ?? Number.NaN,
    latencyMs: Object.fromEntries(PERCENTILES.map((at) => [at, percentile(at)])),
    meanMs: median(histograms.map(({ meanMs }) => meanMs)) ?? Number.NaN,
    maxMs: Math.max(...histograms.map((histogram) => histogram.atMs(100)), 0),
    cpuMsPerDone: of((sample) => perDone(sample, sample.cpuMs)),
    containerCpuMsPerDone: of((sample) => perDone(sample, sample.containerCpuMs)),
    peakRssMb: scaled(of(({ peakRssBytes }) => peakRssBytes)),
    containerPeakRssMb: scaled(of(({ containerPeakRssBytes }) => containerPeakRssBytes)),
    generatorBusy: of((sample) => sample.generatorCpuMs / sample.durationMs) ?? 0,
    signIns: of(({ upstream }) => upstream?.handshakes),
    upstreamConnections: of(({ upstream }) => upstream?.connections),
    upstreamRequests: of(({ upstream }) => upstream?.requests),
    mutations: of(({ upstream }) => upstream?.mutations),
  };
}

export const failuresOf = (sample: Sample): number =>
  Object.values(sample.failures).reduce((sum, each) => sum + each, 0);

const scaled = (bytes: number | undefined): number | undefined => (bytes === undefined ? undefined : bytes / MB);

/** CPU was measured with the warm-up: only the measured share of it belongs to the answers counted. */
export const perDone = (sample: Sample, cpuMs: number | undefined): number | undefined =>
  cpuMs === undefined || sample.done === 0 ? undefined : (cpuMs * (sample.extra?.['measuredShare'] ?? 1)) / sample.done;

export const extraOf = (row: Row | undefined, name: string): number | undefined =>
  row && median(row.samples.map(({ extra }) => extra?.[name]).filter((value) => value !== undefined));
