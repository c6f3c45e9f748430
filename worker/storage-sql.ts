import { BridgeError } from '../container/contract/errors.ts';
import type { Sql, SqlRow, SqlValue } from '../container/state/sql.ts';
import { isStorageFailure } from './holder/platform-errors.ts';

/** The Durable Object's SQLite as the small interface that container/state is written over. */
export class StorageSql implements Sql {
  readonly #storage: DurableObjectStorage;
  #rowsRead = 0;
  #rowsWritten = 0;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  run(statement: string, ...parameters: SqlValue[]): SqlRow[] {
    try {
      const cursor = this.#storage.sql.exec<SqlRow>(statement, ...parameters);
      const rows = cursor.toArray();
      this.#rowsRead += cursor.rowsRead;
      this.#rowsWritten += cursor.rowsWritten;
      return rows;
    } catch (error) {
      throw stateFailure(error);
    }
  }

  /** Rows since the last time, as they are billed. */
  takeRows(): { readonly rowsRead: number; readonly rowsWritten: number } {
    const taken = { rowsRead: this.#rowsRead, rowsWritten: this.#rowsWritten };
    this.#rowsRead = 0;
    this.#rowsWritten = 0;
    return taken;
  }

  transaction<T>(body: () => T): T {
    try {
      return this.#storage.transactionSync(body);
    } catch (error) {
      throw stateFailure(error);
    }
  }
}

function stateFailure(error: unknown): unknown {
  if (error instanceof BridgeError || !isStorageFailure(error)) return error;
  const detail = 'The bridge’s memory, the storage of its Durable Object, cannot be read or written now.';
  return new BridgeError('state_unavailable', { detail, retryAfterMs: 5_000, cause: error });
}
