import type { UpstreamCounters } from '../systems/simulator-process.ts';

export type Mode = 'saturated' | 'paced' | 'storm' | 'stream' | 'start' | 'desk';

/** One measurement of one row. */
export interface Sample {
  readonly repetition: number;
  readonly durationMs: number;
  /** 2xx answers; of streams, ticks delivered to all clients together. */
  readonly done: number;
  readonly perSecond: number;
  /** HDR histogram, microseconds, base64 of the compressed V2 encoding. */
  readonly histogram: string;
  readonly failures: Readonly<Record<string, number>>;
  readonly firstFailure?: string;
  /** Everything of ours that ran on the server's side; the container alone; nothing where /proc cannot be read. */
  readonly cpuMs?: number;
  readonly containerCpuMs?: number;
  readonly peakRssBytes?: number;
  readonly containerPeakRssBytes?: number;
  readonly generatorCpuMs: number;
  /** What the broker's server counted meanwhile. */
  readonly upstream?: UpstreamCounters;
  /** Further figures of this kind of measurement, in the unit of their name. */
  readonly extra?: Readonly<Record<string, number>>;
}

export interface Row {
  readonly id: string;
  readonly system: string;
  readonly work: string;
  readonly mode: Mode;
  readonly upstreamLatencyMs: number;
  /** Connections, callers or clients. */
  readonly concurrency: number;
  readonly samples: readonly Sample[];
}

/** What a row measures. */
export type RowKey = Omit<Row, 'id' | 'samples'>;
/** Measures once and keeps the sample; what throws is skipped by name. */
export type MeasureRow = (key: RowKey, measurement: () => Promise<Sample>) => Promise<void>;

export interface MachineFacts {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly pinned: boolean;
  /** Averages over a minute, before and after: other work on the machine shows here. */
  readonly loadBefore: number;
  readonly loadAfter: number;
}

export interface Report {
  readonly format: 1;
  readonly command: string;
  readonly startedAt: string;
  readonly tookSeconds: number;
  readonly commit: string;
  readonly machine: MachineFacts;
  readonly repetitions: number;
  readonly systems: Readonly<Record<string, string>>;
  /** Names of those that ran elsewhere. */
  readonly byAddress?: readonly string[];
  readonly rows: readonly Row[];
  /** What could not be measured, and why. */
  readonly skipped: readonly string[];
}

export const rowId = (row: RowKey): string =>
  `${row.system} ${row.work} ${row.mode} c${row.concurrency} u${row.upstreamLatencyMs}`;
