import { SqliteFile } from '../host/sqlite-file.ts';
import { type LedgerMark, markOf, takeOver } from '../state/ledger-fence.ts';
import type { Ledger } from './lease.ts';

/** The ledger of `CHECKPOINT`, seen from outside: another replica may hold it. */
export class LedgerFile implements Ledger {
  readonly #location: string;

  constructor(location: string) {
    this.#location = location;
  }

  mark(): LedgerMark {
    const file = SqliteFile.look(this.#location);
    if (!file) return { id: null, token: 0 };
    try {
      return markOf(file);
    } finally {
      file.close();
    }
  }

  takeOver(token: number): { readonly id: string; readonly distrust: string | null } {
    let distrust: string | null = null;
    // A holder that hangs within a write keeps the lock: this process does not stand still with it, and tries again.
    const file = SqliteFile.look(this.#location) ?? SqliteFile.open(this.#location, (message) => (distrust = message));
    try {
      return { id: takeOver(file, token), distrust };
    } finally {
      file.close();
    }
  }
}
