import type { DataTopic } from '../../contract/frames.ts';
import type { Change, Entity } from '../../contract/hub-link.ts';

/** Follows slices of one topic by polling. What it has loaded it keeps, to tell what changed. */
export interface Feed {
  readonly topic: DataTopic;
  /** Starts to follow; resolves with the state of each. @throws BridgeError, following none of them */
  load(keys: readonly string[]): Promise<readonly LoadedSlice[]>;
  forget(keys: Iterable<string>): void;
  isFollowed(key: string): boolean;
  readonly size: number;
  keys(): Iterable<string>;
  /** The state of a followed slice as last polled. */
  entities(key: string): readonly Entity[];
  /** What changed since the poll before. @throws BridgeError */
  poll(): Promise<readonly Change[]>;
}

export interface LoadedSlice {
  readonly key: string;
  readonly entities: readonly Entity[];
  /** The broker has nothing of this name. */
  readonly missing?: boolean;
}
