import type { DataTopic } from '../../contract/frames.ts';
import type { Change, Entity, MissedRow } from '../../contract/hub-link.ts';

/** Follows slices of one topic by polling. What it has loaded it keeps, to tell what changed. */
export interface Feed {
  readonly topic: DataTopic;
  /** Starts to follow. @returns those of which the broker has nothing. @throws BridgeError, following none of them */
  load(keys: readonly string[]): Promise<readonly string[]>;
  forget(keys: Iterable<string>): void;
  isFollowed(key: string): boolean;
  readonly size: number;
  keys(): Iterable<string>;
  /** The state of a followed slice as last polled. */
  entities(key: string): Iterable<Entity>;
  /** Ids of what happened just before a slice was followed, and is nobody's news. */
  known?(key: string): readonly string[];
  /** Tells what changed since the poll before, part by part. @throws BridgeError */
  poll(tell: (changes: readonly Change[]) => void): Promise<void>;
  /**
   * What happened to followed slices since then and will not come with a poll, oldest first; absent where what stands
   * tells all. @throws BridgeError
   */
  missed?(keys: readonly string[], sinceMs: number): Promise<readonly MissedRow[]>;
}
