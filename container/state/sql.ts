import { BridgeError } from '../contract/errors.ts';

/**
 * The small SQL interface that state/ is written over. Adapters: the Durable Object's `ctx.storage.sql` (worker/) and
 * `node:sqlite` (container/, on a VPS). Both are SQLite, synchronous, and durable before an answer leaves.
 */
export type SqlValue = string | number | null;
export type SqlRow = Record<string, SqlValue>;

/** Another program holds the lock: nothing was done, and the same call may succeed in a moment. */
export class StateBusyError extends BridgeError {
  constructor(cause: unknown) {
    super('state_unavailable', {
      detail: 'The bridge’s memory is locked by another program.',
      retryAfterMs: 1000,
      cause,
    });
  }
}

/**
 * Both adapters throw `state_unavailable` where the memory itself fails (full, locked, damaged, gone), so that callers
 * can tell it from a fault of the program.
 */
export interface Sql {
  /** Runs one statement; returns its rows, empty for writes. */
  run(statement: string, ...parameters: SqlValue[]): SqlRow[];
  /** All or nothing; within another one, a part of it. */
  transaction<T>(body: () => T): T;
}
