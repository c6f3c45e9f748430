import type { Sql, SqlRow, SqlValue } from '../../container/state/sql.ts';

/** The Durable Object's SQLite as the small interface that container/state is written over. */
export class StorageSql implements Sql {
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
