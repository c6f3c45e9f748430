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

  /** From a tick to 100 clients, at so many messages a second offered. */
  fanOut(system: string, messages: number): Summary | undefined {
    return this.find({ system, work: `fan-out, ${messages} messages/s offered`, mode: 'stream' });
  }

  /** At the rate at which it delivers the most: beyond what its clients can take, whoever conflates delivers less. */
  mostFanOut(system: string): Summary | undefined {
    return [250_000, 2_000_000]
      .flatMap((messages) => this.fanOut(system, messages) ?? [])
      .sort((a, b) => b.perSecond - a.perSecond)[0];
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
