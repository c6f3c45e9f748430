import { LatencyHistogram } from '../measure/latency-histogram.ts';
import { median } from '../measure/statistics.ts';
import type { Row, Sample } from './model.ts';

export type Figure = 'per second' | 'p50';

const read = (sample: Sample, figure: Figure): number | undefined => {
  if (figure === 'per second') return sample.perSecond;
  const histogram = LatencyHistogram.decode(sample.histogram);
  return histogram.count > 0 ? histogram.atMs(50) : undefined;
};

/**
 * One row over another: the middle of the ratios inside each repetition. What a machine does for a minute, it does to both
 * sides of a repetition; the ratio of two medians may have one from a good minute and one from a bad one.
 */
export function pairedRatio(row: Row | undefined, over: Row | undefined, figure: Figure): number | undefined {
  if (!row || !over) return undefined;
  const ratios = row.samples.map((sample) => {
    const other = over.samples.find(({ repetition }) => repetition === sample.repetition);
    const [value, floor] = [read(sample, figure), other && read(other, figure)];
    return value === undefined || floor === undefined || floor === 0 ? undefined : value / floor;
  });
  return median(ratios.filter((value) => value !== undefined));
}
