/** Middle value; of an even number, the mean of the two in the middle. `undefined` of nothing. */
export function median(values: readonly number[]): number | undefined {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? undefined : (upper + lower) / 2;
}

/** Half the distance between the extremes over the median: how far repetitions disagree. */
export function spread(values: readonly number[]): number | undefined {
  const middle = median(values);
  if (middle === undefined || middle === 0) return undefined;
  return (Math.max(...values) - Math.min(...values)) / 2 / middle;
}

export type Verdict = 'same' | 'slower' | 'faster';

/** Whether more of a figure is good (throughput) or bad (latency, CPU, memory). */
export type Direction = 'higher' | 'lower';

/**
 * Compares the repetitions of two runs. A difference counts only if the medians differ by more than `tolerance` and the
 * repetitions do not overlap: on a machine with other work, one of the two alone is noise.
 */
export function compareRepetitions(
  before: readonly number[],
  after: readonly number[],
  direction: Direction,
  tolerance: number,
): { readonly verdict: Verdict; readonly change: number } | undefined {
  const from = median(before);
  const to = median(after);
  if (from === undefined || to === undefined || from === 0) return undefined;
  const change = to / from - 1;
  const apart = Math.min(...after) > Math.max(...before) || Math.max(...after) < Math.min(...before);
  if (Math.abs(change) <= tolerance || !apart) return { verdict: 'same', change };
  return { verdict: change > 0 === (direction === 'higher') ? 'faster' : 'slower', change };
}
