import type { Sql, SqlRow, SqlValue } from '../container/state/sql.ts';

/** `Sql` over a Durable Object's SQLite: its output gate holds every answer until the writes before it are durable. */
export class SqlStorageState implements Sql {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  run(statement: string, ...parameters: SqlValue[]): SqlRow[] {
    return this.#storage.sql.exec<SqlRow>(statement, ...parameters).toArray();
  }

  transaction<T>(body: () => T): T {
    return this.#storage.transactionSync(body);
  }
}
