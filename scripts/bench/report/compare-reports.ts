import { compareRepetitions, type Direction, type Verdict } from '../measure/statistics.ts';
import type { Report, Row, Sample } from './model.ts';
import { figureOf } from './paired.ts';
import { failuresOf } from './summary.ts';

export interface Difference {
  readonly row: string;
  readonly figure: string;
  readonly verdict: Verdict;
  /** 0.2 = 20 % more than before. */
  readonly change: number;
}

const FIGURES: readonly {
  readonly name: string;
  readonly direction: Direction;
  readonly read: (sample: Sample) => number | undefined;
  readonly of: readonly Row['mode'][];
}[] = [
  { name: 'per second', direction: 'higher', read: ({ perSecond }) => perSecond, of: ['saturated'] },
  {
    name: 'p50',
    direction: 'lower',
    read: (sample) => figureOf(sample, 'p50'),
    of: ['paced', 'storm', 'stream', 'start'],
  },
  {
    name: 'failures',
    direction: 'lower',
    read: (sample) => failuresOf(sample) + 1,
    of: ['saturated', 'paced', 'storm', 'stream'],
  },
];

/** Rows that both reports have, figure by figure. */
export function compareReports(before: Report, after: Report, tolerance: number): Difference[] {
  const differences: Difference[] = [];
  for (const row of before.rows) {
    const other = after.rows.find(({ id }) => id === row.id);
    if (!other) continue;
    for (const { name, direction, read, of } of FIGURES) {
      if (!of.includes(row.mode)) continue;
      const values = ({ samples }: Row): number[] => samples.map(read).filter((value) => value !== undefined);
      const compared = compareRepetitions(values(row), values(other), direction, tolerance);
      if (compared) differences.push({ row: row.id, figure: name, ...compared });
    }
  }
  return differences;
}
