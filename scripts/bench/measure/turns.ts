import type { Sample } from '../report/model.ts';
import { LatencyHistogram } from './latency-histogram.ts';

/** Machines change their pace within minutes, by a third and more: what is set beside each other is measured by turns. */
export const TURNS = 5;

/** What was measured in several turns, as one sample: of peaks the highest, of connections those of the last. */
export function together(turns: readonly Sample[]): Sample {
  const [first, ...others] = turns;
  if (!first) throw new Error('nothing was measured');
  return others.reduce(both, first);
}

function both(one: Sample, other: Sample): Sample {
  const histogram = LatencyHistogram.decode(one.histogram);
  histogram.add(LatencyHistogram.decode(other.histogram));
  const durationMs = one.durationMs + other.durationMs;
  const done = one.done + other.done;
  return {
    // The first failure is that of the first turn that had one.
    ...(other.firstFailure === undefined ? {} : { firstFailure: other.firstFailure }),
    ...one,
    durationMs,
    done,
    perSecond: (done / durationMs) * 1_000,
    histogram: histogram.encode(),
    failures: summed(one.failures, other.failures),
    generatorCpuMs: one.generatorCpuMs + other.generatorCpuMs,
    ...ofBoth(one, other, ['cpuMs', 'containerCpuMs'], (a, b) => a + b),
    ...ofBoth(one, other, ['peakRssBytes', 'containerPeakRssBytes'], Math.max),
    ...(one.upstream &&
      other.upstream && {
        upstream: { ...summed(one.upstream, other.upstream), connections: other.upstream.connections },
      }),
  };
}

const summed = <Counts extends object>(one: Counts, other: Counts): Counts =>
  Object.fromEntries(
    Object.entries({ ...one, ...other }).map(([name]) => [name, countOf(one, name) + countOf(other, name)]),
  ) as Counts;

const countOf = (counts: object, name: string): number => (counts as Readonly<Record<string, number>>)[name] ?? 0;

type Measured = 'cpuMs' | 'containerCpuMs' | 'peakRssBytes' | 'containerPeakRssBytes';

/** What was measured of both. */
const ofBoth = (
  one: Sample,
  other: Sample,
  names: readonly Measured[],
  join: (a: number, b: number) => number,
): Partial<Record<Measured, number>> =>
  Object.fromEntries(
    names.flatMap((name) => {
      const [a, b] = [one[name], other[name]];
      return a === undefined || b === undefined ? [] : [[name, join(a, b)]];
    }),
  );
