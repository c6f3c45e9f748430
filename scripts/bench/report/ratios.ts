import { Rows } from './find.ts';
import type { Mode, Report, Row } from './model.ts';
import { pairedRatio, type Figure } from './paired.ts';

export interface Ratio {
  readonly what: string;
  readonly value: number;
}

/** What is set against what. The same work under the same load, unless the floor does it under another name. */
const PAIRS: readonly {
  readonly system: string;
  readonly over: string;
  readonly works: readonly string[];
  /** Name of the floor's work. */
  readonly overWork?: string;
  /** Not all figures of the works mean something as a ratio. */
  readonly only?: Figure;
}[] = [
  { system: 'vps', over: 'node-http', works: ['cached'] },
  { system: 'vps', over: 'node-undici-4', works: ['typed', 'passthrough'], overWork: 'passthrough' },
  { system: 'vps-1', over: 'node-undici-1', works: ['typed', 'passthrough'], overWork: 'passthrough' },
  { system: 'edge', over: 'edge-floor', works: ['cached'] },
  { system: 'edge', over: 'worker-floor', works: ['cached'] },
  { system: 'edge', over: 'vps', works: ['cached', 'typed', 'passthrough', 'batch', 'order', 'ticks'] },
  { system: 'vps-nginx', over: 'vps', works: ['cached', 'typed', 'order'] },
  { system: 'fallback', over: 'edge', works: ['cached', 'typed', 'order'] },
  { system: 'edge-cold', over: 'edge-floor', works: ['storm'] },
  { system: 'edge-cold', over: 'vps-1', works: ['storm', 'storm, distinct reads'] },
  { system: 'vps', over: 'start-floor', works: ['listening'] },
  { system: 'vps', over: 'start-floor', works: ['first answer'], overWork: 'listening' },
  // The floor's own latency is below the millisecond of its clock.
  { system: 'fan-out', over: 'ws-loop', works: ['fan-out, 2000000 messages/s offered'], only: 'per second' },
];

const FIGURES: Readonly<Record<Mode, readonly Figure[]>> = {
  saturated: ['per second'],
  paced: ['p50'],
  storm: ['p50'],
  start: ['p50'],
  stream: ['per second', 'p50'],
  desk: [],
};

/**
 * Throughputs and middle latencies as ratios inside one run, ours over its floor and the edge over the VPS: what the machine
 * does to both goes out, so that runs of different hours and machines can be set side by side.
 */
export function ratiosOf(report: Report): Ratio[] {
  const rows = new Rows(report);
  const ratios: Ratio[] = [];
  for (const { system, over, works, overWork, only } of PAIRS) {
    for (const row of report.rows.filter((each) => each.system === system && works.includes(each.work))) {
      const { mode, upstreamLatencyMs, concurrency } = row;
      const floor = rows.find({ system: over, work: overWork ?? row.work, mode, upstreamLatencyMs, concurrency });
      if (!floor) continue;
      for (const figure of FIGURES[mode].filter((each) => only === undefined || each === only)) {
        const value = pairedRatio(row, floor.row, figure);
        if (value !== undefined) ratios.push({ what: nameOf(row, over, figure), value });
      }
    }
  }
  return ratios;
}

const nameOf = ({ system, work, upstreamLatencyMs, concurrency }: Row, over: string, figure: Figure): string =>
  `${work}, ${concurrency}${upstreamLatencyMs > 0 ? `, broker at ${upstreamLatencyMs} ms` : ''}: ${figure} of ${system} over ${over}`;

export interface Agreement {
  readonly what: string;
  readonly before: number;
  readonly after: number;
  /** 0.2 = 20 % more in the second report. */
  readonly change: number;
}

/** Ratios that both reports have. */
export function compareRatios(before: Report, after: Report): Agreement[] {
  const others = new Map(ratiosOf(after).map(({ what, value }) => [what, value]));
  return ratiosOf(before).flatMap(({ what, value }) => {
    const other = others.get(what);
    return other === undefined ? [] : [{ what, before: value, after: other, change: other / value - 1 }];
  });
}
