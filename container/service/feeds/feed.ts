import type { DataTopic } from '../../contract/frames.ts';
import type { Change, Entity, MissedRow } from '../../contract/hub-link.ts';

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
  /** Ids of what happened just before a slice was followed, and is nobody's news. */
  known?(key: string): readonly string[];
  /** What changed since the poll before. @throws BridgeError */
  poll(): Promise<readonly Change[]>;
  /**
   * What happened to followed slices since then and will not come with a poll, oldest first; absent where what stands
   * tells all. @throws BridgeError
   */
  missed?(keys: readonly string[], sinceMs: number): Promise<readonly MissedRow[]>;
}

export interface LoadedSlice {
  readonly key: string;
  readonly entities: readonly Entity[];
  /** The broker has nothing of this name. */
  readonly missing?: boolean;
}
