import type { Placement } from '../measure/child.ts';
import type { SimulatorProcess } from './simulator-process.ts';

export type WorkName = 'cached' | 'typed' | 'passthrough' | 'batch' | 'worst-body' | 'order' | 'stream' | 'fan-out';

/** Something that is measured: the bridge in a topology, a floor under it, or another server given by its address. */
export interface System {
  readonly name: string;
  /** One line for the reader. */
  readonly title: string;
  readonly kind: 'vps' | 'edge' | 'floor' | 'peer';
  readonly placement: Placement;
  /** What it can be asked to do; nothing where only the rows of `work/crowd-work.ts` name it. */
  readonly works: readonly WorkName[];
  /** Only at a broker nearby and with the usual connections: what it is set beside has the other rows. */
  readonly isBeside?: boolean;
  /** Path that answers from memory alone, where it is not the bridge's. */
  readonly cachedPath?: string;
  start(): Promise<RunningSystem>;
}

export interface Started {
  readonly system: System;
  readonly running: RunningSystem;
}

export interface RunningSystem {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The broker behind it; undefined where there is none, or none of ours. */
  readonly simulator: SimulatorProcess | undefined;
  /** Its processes, each with all that it started; none of what runs elsewhere. */
  readonly pids: readonly number[];
  /** PEM of the authority behind an `https:` URL of ours. */
  readonly ca?: string;
  /** Ends the container process and waits until it is gone; the next request is a cold start. */
  readonly makeCold?: () => Promise<void>;
  stop(): Promise<void>;
}
