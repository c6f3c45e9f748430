import type { Mode, Report, Row } from './model.ts';
import { summarise, type Summary } from './summary.ts';

export interface Query {
  readonly system: string;
  readonly work: string;
  readonly mode: Mode;
  readonly upstreamLatencyMs?: number;
  readonly concurrency?: number;
}

/** Looks up rows of one report by what they measure. */
export class Rows {
  readonly #rows: readonly Row[];
  readonly #summaries = new Map<Row, Summary>();

  constructor(report: Report) {
    this.#rows = report.rows;
  }

  find({ system, work, mode, upstreamLatencyMs, concurrency }: Query): Summary | undefined {
    const row = this.#rows.find(
      (each) =>
        each.system === system &&
        each.work === work &&
        each.mode === mode &&
        (upstreamLatencyMs === undefined || each.upstreamLatencyMs === upstreamLatencyMs) &&
        (concurrency === undefined || each.concurrency === concurrency),
    );
    return row && this.summary(row);
  }

  all(): Summary[] {
    return this.#rows.map((row) => this.summary(row));
  }

  summary(row: Row): Summary {
    const known = this.#summaries.get(row) ?? summarise(row);
    this.#summaries.set(row, known);
    return known;
  }
}
