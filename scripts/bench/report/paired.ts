import { LatencyHistogram } from '../measure/latency-histogram.ts';
import { median } from '../measure/statistics.ts';
import type { Row, Sample } from './model.ts';
import { perDone } from './summary.ts';

export type Figure = 'per second' | 'p50' | 'CPU per answer';

export const figureOf = (sample: Sample, figure: Figure): number | undefined => {
  if (figure === 'per second') return sample.perSecond;
  if (figure === 'CPU per answer') return perDone(sample, sample.cpuMs);
  const histogram = LatencyHistogram.decode(sample.histogram);
  return histogram.count > 0 ? histogram.atMs(50) : undefined;
};

/**
 * The middle of what the repetitions give, each by itself, from the same figure of several rows. What a machine does for a
 * minute, it does to all rows of a repetition; two medians may come from a good minute and a bad one.
 */
export function paired(
  rows: readonly (Row | undefined)[],
  figure: Figure,
  combine: (...values: number[]) => number,
): number | undefined {
  const [first] = rows;
  const combined = first?.samples.map(({ repetition }) => {
    const values = rows.map((row) => {
      const sample = row?.samples.find((each) => each.repetition === repetition);
      return sample && figureOf(sample, figure);
    });
    return values.every((value) => value !== undefined) ? combine(...values) : Number.NaN;
  });
  return median(combined ?? []);
}

export const pairedRatio = (row: Row | undefined, over: Row | undefined, figure: Figure): number | undefined =>
  paired([row, over], figure, (value, floor) => value / floor);
