import type { Chunk } from './chunk.ts';
import type { Connection } from './connection.ts';
import type { Since } from './missed.ts';
import type { Group } from './group.ts';
import type { TopicLog } from './topic-log.ts';

/** One connection's subscription to one topic. */
export interface Member {
  readonly connection: Connection;
  readonly log: TopicLog;
  group: Group;
  selectors: Set<string>;
  /** `waiting` for its first snapshot, or for the one after a gap: gets no deltas. */
  state: 'waiting' | 'live';
  /** Last sequence sent; valid while not in lockstep (then it is the group's). */
  seq: number;
  /** Place in the group's lockstep list; -1 = not in it. */
  lockstepIndex: number;
  /** Selectors whose snapshot is still owed. */
  owed: Set<string>;
  /** Since when it may have missed something; gone when it was told what. */
  since: Since | undefined;
  /** Set: a `gap` with this reason goes before the snapshot. */
  gap: string | undefined;
}

/**
 * The way to one client. `write` never throws and never blocks; what cannot be sent yet, and what was sent too far ahead
 * of what the client has shown to have read, counts in `bufferedBytes`.
 */
export interface Peer {
  /** Of the client; undefined = not known. */
  readonly address?: string | undefined;
  readonly bufferedBytes: number;
  /** Since when it has owed a sign that it keeps up; undefined also where the transport knows no such sign. */
  readonly silentSinceMs?: number | undefined;
  /** It sent a ping. */
  pinged?(): void;
  write(chunk: Chunk): void;
  close(code: number, reason: string): void;
}
