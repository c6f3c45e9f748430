import type { Sql } from '../state/sql.ts';

/**
 * The tables of the room, in whatever database it is given: that of a Durable Object of its own, on a VPS the file of the
 * state. Entry N brings a database of version N to N + 1; never edited once released, only added to.
 */
const MIGRATIONS: readonly (readonly string[])[] = [
  [
    // Everything that was told, in the order in which it came: for the audit, for receivers, and to be told again.
    `CREATE TABLE event_log (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      at_ms INTEGER NOT NULL,
      event TEXT NOT NULL
    )`,
    'CREATE TABLE event_sources (source TEXT PRIMARY KEY, taken INTEGER NOT NULL)',
    'CREATE TABLE outbox_settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)',
  ],
  [
    `CREATE TABLE webhooks (
      id TEXT PRIMARY KEY,
      url TEXT NOT NULL,
      events TEXT NOT NULL,
      logins TEXT,
      group_masks TEXT,
      secret TEXT NOT NULL,
      created_at_ms INTEGER NOT NULL,
      disabled_at_ms INTEGER,
      disabled_reason TEXT
    )`,
    // Events on their way to a receiver. Those of a lane (a login) go one after the other …
    `CREATE TABLE webhook_deliveries (
      webhook TEXT NOT NULL,
      lane TEXT NOT NULL,
      seq INTEGER NOT NULL,
      PRIMARY KEY (webhook, lane, seq)
    ) WITHOUT ROWID`,
    'CREATE INDEX webhook_deliveries_seq ON webhook_deliveries (seq)',
    // … and how the first of a lane fares, while it has one.
    `CREATE TABLE webhook_lanes (
      webhook TEXT NOT NULL,
      lane TEXT NOT NULL,
      due_ms INTEGER NOT NULL,
      attempts INTEGER NOT NULL,
      first_failed_ms INTEGER,
      PRIMARY KEY (webhook, lane)
    ) WITHOUT ROWID`,
    'CREATE INDEX webhook_lanes_due ON webhook_lanes (webhook, due_ms)',
    `CREATE TABLE webhook_attempts (
      id INTEGER PRIMARY KEY,
      webhook TEXT NOT NULL,
      event_id TEXT NOT NULL,
      type TEXT NOT NULL,
      login INTEGER,
      at_ms INTEGER NOT NULL,
      attempt INTEGER NOT NULL,
      status INTEGER,
      error TEXT,
      duration_ms INTEGER NOT NULL
    )`,
    'CREATE INDEX webhook_attempts_of ON webhook_attempts (webhook, id)',
  ],
];

const VERSION = 'version';

/** Brings the tables to this version. @throws Error where they are newer than known: nothing of them is touched */
export function migrateOutbox(sql: Sql): void {
  sql.transaction(() => {
    const known = sql.run(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'outbox_settings'`).length > 0;
    const version = known ? Number(new OutboxSettings(sql).get(VERSION) ?? 0) : 0;
    if (version > MIGRATIONS.length)
      throw new Error(`The outbox has version ${version}, this bridge knows ${MIGRATIONS.length}.`);
    if (version === MIGRATIONS.length) return;
    for (const migration of MIGRATIONS.slice(version)) for (const statement of migration) sql.run(statement);
    new OutboxSettings(sql).set(VERSION, String(MIGRATIONS.length));
  });
}

/** Single values that the room remembers. */
export class OutboxSettings {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  get(name: string): string | undefined {
    const value = this.#sql.run('SELECT value FROM outbox_settings WHERE name = ?', name)[0]?.['value'];
    return typeof value === 'string' ? value : undefined;
  }

  set(name: string, value: string): void {
    this.#sql.run('INSERT OR REPLACE INTO outbox_settings (name, value) VALUES (?, ?)', name, value);
  }

  delete(name: string): void {
    this.#sql.run('DELETE FROM outbox_settings WHERE name = ?', name);
  }
}
