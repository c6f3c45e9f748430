import { chmodSync, closeSync, openSync, renameSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Sql, SqlRow, SqlValue } from '../state/sql.ts';

/** How many prepared statements are kept; the state has some fifty. */
const MAX_STATEMENTS = 200;

/** `Sql` over a SQLite file of Node's own `node:sqlite`: where the state lives on a VPS. */
export class SqliteFile implements Sql {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #closed = false;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    // FULL: a committed row survives the loss of power, not only of the process.
    for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'busy_timeout = 5000'])
      database.exec(`PRAGMA ${pragma}`);
    database.exec('PRAGMA schema_version');
  }

  /**
   * `location` is the value of `CHECKPOINT`: `file:<path>` or `memory:`. A file that is no database is set aside under
   * another name and a new one begun.
   */
  static open(location: string, warn: (message: string) => void = () => {}): SqliteFile {
    const path = location.startsWith('memory:') ? ':memory:' : location.replace(/^file:/, '');
    try {
      return SqliteFile.#checked(path);
    } catch (error) {
      if (path === ':memory:' || !isCorrupt(error)) throw error;
      const aside = `${path}.corrupt-${Date.now()}`;
      renameSync(path, aside);
      for (const suffix of ['-wal', '-shm']) renameIfThere(path + suffix, aside + suffix);
      warn(`${path} is not a readable database; it was renamed to ${aside} and a new one was begun.`);
      return SqliteFile.#checked(path);
    }
  }

  static #checked(path: string): SqliteFile {
    // Before SQLite makes it: its own files beside it get the same rights.
    if (path !== ':memory:') onlyForOwner(path);
    const database = new DatabaseSync(path);
    try {
      const file = new SqliteFile(database);
      const [verdict] = file.run('PRAGMA quick_check(1)');
      if (verdict?.['quick_check'] !== 'ok') throw new CorruptDatabase();
      return file;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  run(statement: string, ...parameters: SqlValue[]): SqlRow[] {
    return this.#prepare(statement).all(...parameters) as SqlRow[];
  }

  transaction<T>(body: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = body();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#statements.clear();
    this.#database.close();
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

class CorruptDatabase extends Error {}

/** SQLITE_CORRUPT 11, SQLITE_NOTADB 26 (sqlite.org/rescode.html). */
const isCorrupt = (error: unknown): boolean =>
  error instanceof CorruptDatabase || [11, 26].includes((error as { errcode?: number }).errcode ?? 0);

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
