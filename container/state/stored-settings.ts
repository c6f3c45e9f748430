import type { z } from 'zod';
import type { Sql } from './sql.ts';

/** Names of the table `settings` that hold JSON. */
export const SETTING_NAMES = { symbols: 'symbols in use', usage: 'usage', budget: 'budget', margin: 'margin' } as const;
type SettingName = (typeof SETTING_NAMES)[keyof typeof SETTING_NAMES];

/** Small things of which there is one each, as JSON. */
export class StoredSettings {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** @returns `undefined` for what is not there or cannot be read */
  read<T>(name: SettingName, schema: z.ZodType<T>): T | undefined {
    const text = this.#sql.run('SELECT value FROM settings WHERE name = ?', name)[0]?.['value'];
    try {
      return schema.safeParse(JSON.parse(String(text))).data;
    } catch {
      return undefined;
    }
  }

  write(name: SettingName, value: unknown): void {
    this.#sql.run('INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)', name, JSON.stringify(value));
  }
}
