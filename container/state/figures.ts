import { figuresReportSchema, type FiguresReport } from '../contract/figures.ts';
import type { Sql } from './sql.ts';
import type { FiguresApi, InstanceId } from './state-api.ts';

const SETTING = 'figures';

export interface FiguresParts {
  readonly sql: Sql;
  readonly requireUnfenced: (instanceId: InstanceId) => void;
}

/** The last figures of the container program, one row. */
export class Figures implements FiguresApi {
  readonly #parts: FiguresParts;
  #last: FiguresReport | null | undefined;

  constructor(parts: FiguresParts) {
    this.#parts = parts;
  }

  async last(): Promise<FiguresReport | null> {
    return this.lastNow();
  }

  /** The same at once. */
  lastNow(): FiguresReport | null {
    if (this.#last !== undefined) return this.#last;
    const value = this.#parts.sql.run('SELECT value FROM settings WHERE name = ?', SETTING)[0]?.['value'];
    return (this.#last = typeof value === 'string' ? readReport(value) : null);
  }

  async keep(instanceId: InstanceId, report: FiguresReport): Promise<void> {
    const { sql, requireUnfenced } = this.#parts;
    requireUnfenced(instanceId);
    sql.run('INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)', SETTING, JSON.stringify(report));
    this.#last = report;
  }
}

/** What another version wrote may not be readable: counters then begin anew. */
function readReport(text: string): FiguresReport | null {
  try {
    return figuresReportSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
