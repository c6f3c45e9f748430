import fs, { chmodSync, closeSync, existsSync, openSync, renameSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { BridgeError } from '../contract/errors.ts';
import { type Sql, type SqlRow, type SqlValue, StateBusyError } from '../state/sql.ts';

/** How many prepared statements are kept; the state has some fifty. */
const MAX_STATEMENTS = 200;

/** How long opening waits for another process that is opening or migrating the same file. */
const OPENING_WAIT_MS = 5_000;

/** `Sql` over a SQLite file of Node's own `node:sqlite`: where the state lives on a VPS. */
export class SqliteFile implements Sql {
  readonly #database: DatabaseSync;
  readonly #log: string | undefined;
  readonly #statements = new Map<string, StatementSync>();
  #closed = false;
  #logFile: number | undefined;
  /** There are commits that no flush has begun for. */
  #isAhead = false;
  #flushing: Promise<void> | undefined;
  #nextFlush: Promise<void> | undefined;

  private constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#log = path === ':memory:' ? undefined : `${path}-wal`;
  }

  #prepareForWrites(): void {
    const database = this.#database;
    switchToWal(database);
    // A commit is in the log when it returns and survives the end of the process; of power, after `durable()`.
    database.exec('PRAGMA synchronous = NORMAL');
    database.exec('PRAGMA schema_version');
  }

  /**
   * `location` is the value of `CHECKPOINT`: `file:<path>` or `memory:`. A file that is no database is set aside under
   * another name and a new one begun; `onLost` is told.
   */
  static open(location: string, onLost: (message: string) => void = () => {}): SqliteFile {
    const path = pathOf(location);
    try {
      return SqliteFile.#checked(path);
    } catch (error) {
      if (path === ':memory:' || !isCorrupt(error)) throw error;
      const aside = `${path}.corrupt-${Date.now()}`;
      renameSync(path, aside);
      for (const suffix of ['-wal', '-shm']) renameIfThere(path + suffix, aside + suffix);
      onLost(`${path} is not a readable database; it was renamed to ${aside} and a new one was begun.`);
      return SqliteFile.#checked(path);
    }
  }

  /**
   * A file that another program may be writing to, for a short look: a lock is not waited for, nothing is set aside.
   * @returns undefined where there is none, or what there is cannot be read as a database
   * @throws BridgeError `state_unavailable`
   */
  static look(location: string): SqliteFile | undefined {
    const path = pathOf(location);
    if (!existsSync(path)) return undefined;
    const database = new DatabaseSync(path, { timeout: 0 });
    try {
      database.exec('PRAGMA schema_version');
      return new SqliteFile(database, path);
    } catch (error) {
      database.close();
      if (isCorrupt(error)) return undefined;
      throw stateFailure(error);
    }
  }

  static #checked(path: string): SqliteFile {
    // Before SQLite makes it: its own files beside it get the same rights.
    if (path !== ':memory:') onlyForOwner(path);
    const database = new DatabaseSync(path, { timeout: OPENING_WAIT_MS });
    try {
      const file = new SqliteFile(database, path);
      file.#prepareForWrites();
      const [verdict] = file.run('PRAGMA quick_check(1)');
      if (verdict?.['quick_check'] !== 'ok') throw new CorruptDatabase();
      return file;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** From here on a lock is waited for without stopping the event loop (state/patient-state.ts). */
  stopWaiting(): void {
    this.#database.exec('PRAGMA busy_timeout = 0');
  }

  /**
   * Resolves when everything that was committed before survives the loss of power. `synchronous = FULL` would wait for the
   * disk within each commit, 2 ms in which the event loop stands still; the same flush of the write-ahead log is done beside
   * it, one for all who wait. What is lost without it are the last commits, never one before another (sqlite.org/wal.html).
   * @throws BridgeError `state_unavailable`
   */
  durable(): Promise<void> {
    const log = this.#log;
    if (log === undefined) return Promise.resolve();
    if (!this.#isAhead) return this.#flushing ?? Promise.resolve();
    const before = this.#flushing?.catch(() => undefined) ?? Promise.resolve();
    return (this.#nextFlush ??= before.then(() => this.#begin(log)));
  }

  #begin(log: string): Promise<void> {
    this.#nextFlush = undefined;
    this.#isAhead = false;
    const flushing = this.#flush(log)
      .catch((error: unknown) => {
        this.#isAhead = true;
        throw unflushed(error);
      })
      .finally(() => {
        if (this.#flushing === flushing) this.#flushing = undefined;
      });
    return (this.#flushing = flushing);
  }

  async #flush(log: string): Promise<void> {
    // Closed, everything was flushed.
    if (this.#closed) return;
    const file = (this.#logFile ??= openSync(log, 'r'));
    await new Promise<void>((resolve, reject) => fs.fdatasync(file, (error) => (error ? reject(error) : resolve())));
  }

  run(statement: string, ...parameters: SqlValue[]): SqlRow[] {
    this.#isAhead ||= !/^\s*SELECT\b/i.test(statement);
    try {
      return this.#prepare(statement).all(...parameters) as SqlRow[];
    } catch (error) {
      throw stateFailure(error);
    }
  }

  transaction<T>(body: () => T): T {
    if (this.#database.isTransaction) return body();
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      const result = body();
      this.#database.exec('COMMIT');
      this.#isAhead = true;
      return result;
    } catch (error) {
      // Some failures (a full disk among them) have rolled back already (sqlite.org/lang_transaction.html).
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw stateFailure(error);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#statements.clear();
    this.#database.close();
    const file = this.#logFile;
    if (file !== undefined) void Promise.allSettled([this.#flushing]).then(() => closeSync(file));
  }

  #prepare(statement: string): StatementSync {
    const known = this.#statements.get(statement);
    if (known) return known;
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
    const prepared = this.#database.prepare(statement);
    this.#statements.set(statement, prepared);
    return prepared;
  }
}

/**
 * Two that switch a fresh file at once lock each other out, and then SQLite does not wait, since neither could go on
 * (sqlite.org/c3ref/busy_handler.html): this one lets go and tries again. At start only: it stops the event loop.
 */
function switchToWal(database: DatabaseSync): void {
  const untilMs = performance.now() + OPENING_WAIT_MS;
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (codeOf(error) !== BUSY || performance.now() > untilMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1 + Math.random() * 20);
    }
  }
}

const pathOf = (location: string): string =>
  location.startsWith('memory:') ? ':memory:' : location.replace(/^file:/, '');

class CorruptDatabase extends Error {}

/** Primary result codes of SQLite (sqlite.org/rescode.html); the low byte of an extended one. */
const BUSY = 5;
const FAILURES: Readonly<Record<number, string>> = {
  6: 'is locked by this program itself',
  7: 'found no memory',
  8: 'cannot be written to',
  10: 'cannot be read or written: the disk or its file system fails, or has no room',
  11: 'is damaged',
  13: 'has no room: the disk is full',
  14: 'cannot be opened',
  26: 'is no database any more',
};

const codeOf = (error: unknown): number => {
  const thrown = error instanceof BridgeError ? error.context.cause : error;
  return ((thrown as { errcode?: number } | undefined)?.errcode ?? 0) & 0xff;
};

const isCorrupt = (error: unknown): boolean => error instanceof CorruptDatabase || [11, 26].includes(codeOf(error));

const unflushed = (cause: unknown): BridgeError =>
  new BridgeError('state_unavailable', {
    detail: 'The bridge’s memory cannot be written to its disk.',
    retryAfterMs: 5_000,
    cause,
  });

/** What is thrown on; a statement that is wrong stays the fault that it is. */
function stateFailure(error: unknown): unknown {
  if (error instanceof BridgeError) return error;
  const code = codeOf(error);
  if (code === BUSY) return new StateBusyError(error);
  const failure = FAILURES[code];
  if (failure === undefined) return error;
  const detail = `The bridge’s memory ${failure}.`;
  return new BridgeError('state_unavailable', { detail, retryAfterMs: 5_000, cause: error });
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    // Not there: nothing to set aside.
  }
}

/** Hashes of keys and who traded what: nobody else on the machine reads them. */
function onlyForOwner(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
}
