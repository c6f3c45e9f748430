import { BridgeError } from '../contract/errors.ts';
import type { Sql } from './sql.ts';

/**
 * The tables, as a list of migrations: entry N brings a database of version N to N + 1. Never edited once released,
 * only added to.
 */
const MIGRATIONS: readonly (readonly string[])[] = [
  [
    'CREATE TABLE upstream (name TEXT PRIMARY KEY, value TEXT NOT NULL)',
    `CREATE TABLE permits (
      permit_id TEXT PRIMARY KEY,
      instance_id TEXT NOT NULL,
      at_ms INTEGER NOT NULL,
      outcome TEXT NOT NULL,
      booked INTEGER NOT NULL
    )`,
    'CREATE INDEX permits_at ON permits (at_ms)',
    `CREATE TABLE instances (
      instance_id TEXT PRIMARY KEY,
      epoch INTEGER NOT NULL,
      signed_in_at_ms INTEGER NOT NULL,
      released INTEGER NOT NULL
    )`,
    `CREATE TABLE consumer_sessions (
      id TEXT PRIMARY KEY,
      token_hash TEXT NOT NULL UNIQUE,
      login INTEGER NOT NULL,
      scopes TEXT NOT NULL,
      opened_by TEXT NOT NULL,
      limits TEXT NOT NULL,
      created_at_ms INTEGER NOT NULL,
      last_seen_at_ms INTEGER NOT NULL,
      password_changed_at TEXT NOT NULL,
      checked_at_ms INTEGER NOT NULL
    )`,
    'CREATE INDEX consumer_sessions_login ON consumer_sessions (login)',
    `CREATE TABLE password_attempts (
      subject TEXT PRIMARY KEY,
      failures INTEGER NOT NULL,
      at_ms INTEGER NOT NULL
    )`,
    `CREATE TABLE operations (
      id INTEGER PRIMARY KEY,
      caller TEXT NOT NULL,
      operation_key TEXT NOT NULL,
      kind TEXT NOT NULL,
      trading INTEGER NOT NULL,
      tag TEXT NOT NULL,
      state TEXT NOT NULL,
      login INTEGER,
      fingerprint TEXT NOT NULL,
      request TEXT NOT NULL,
      answer_status INTEGER,
      answer_body TEXT,
      instance_id TEXT NOT NULL,
      created_at_ms INTEGER NOT NULL,
      updated_at_ms INTEGER NOT NULL,
      settled_at_ms INTEGER,
      empty_looks INTEGER NOT NULL,
      last_look_at_ms INTEGER,
      UNIQUE (caller, operation_key)
    )`,
    'CREATE INDEX operations_state ON operations (state, id)',
    'CREATE INDEX operations_recent ON operations (caller, created_at_ms)',
    `CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)`,
    `CREATE TABLE journal (
      id INTEGER PRIMARY KEY,
      at_ms INTEGER NOT NULL,
      event TEXT NOT NULL,
      reason TEXT NOT NULL,
      instance_id TEXT,
      epoch INTEGER,
      phases_ms TEXT
    )`,
  ],
  [
    `CREATE TABLE api_keys (
      id TEXT PRIMARY KEY,
      record TEXT NOT NULL,
      bootstrap TEXT,
      created_at_ms INTEGER NOT NULL,
      changed_at_ms INTEGER NOT NULL,
      last_used_at_ms INTEGER,
      revoked_at_ms INTEGER
    )`,
    `CREATE TABLE halts (
      kind TEXT NOT NULL,
      value TEXT NOT NULL,
      reason TEXT NOT NULL,
      since_ms INTEGER NOT NULL,
      PRIMARY KEY (kind, value)
    )`,
    // A halt of version 1; one that cannot be read still halts.
    `INSERT INTO halts (kind, value, reason, since_ms)
       SELECT 'all', '', CASE WHEN json_valid(value) THEN coalesce(json_extract(value, '$.reason'), '') ELSE '' END,
         CASE WHEN json_valid(value) THEN coalesce(json_extract(value, '$.sinceMs'), 0) ELSE 0 END
       FROM settings WHERE name = 'halt'`,
    `DELETE FROM settings WHERE name = 'halt'`,
    'ALTER TABLE operations ADD COLUMN budget TEXT',
    'ALTER TABLE operations ADD COLUMN symbol TEXT',
    'ALTER TABLE operations ADD COLUMN side TEXT',
    'ALTER TABLE operations ADD COLUMN volume TEXT',
    'ALTER TABLE operations ADD COLUMN reduces TEXT',
    'ALTER TABLE operations ADD COLUMN amount TEXT',
    'CREATE INDEX operations_login ON operations (login, id)',
    'CREATE INDEX operations_caller ON operations (caller, id)',
    'CREATE INDEX operations_budget ON operations (budget, created_at_ms)',
    'CREATE INDEX operations_settled ON operations (settled_at_ms)',
    'CREATE INDEX password_attempts_at ON password_attempts (at_ms)',
    'CREATE INDEX consumer_sessions_key ON consumer_sessions (opened_by)',
  ],
  ['CREATE INDEX operations_tag ON operations (tag)'],
  [
    // AUTOINCREMENT: a number that was handed on is never used again.
    'CREATE TABLE outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL)',
    'ALTER TABLE operations ADD COLUMN request_id TEXT',
    'ALTER TABLE operations ADD COLUMN address TEXT',
    'ALTER TABLE operations ADD COLUMN account_group TEXT',
  ],
];

const VERSION_TABLE = 'bridge_schema';
const TABLES = [
  'upstream',
  'permits',
  'instances',
  'consumer_sessions',
  'password_attempts',
  'operations',
  'settings',
  'journal',
  'api_keys',
  'halts',
  'outbox',
];
const INDEXES = [
  'permits_at',
  'consumer_sessions_login',
  'consumer_sessions_key',
  'operations_state',
  'operations_recent',
  'operations_login',
  'operations_caller',
  'operations_budget',
  'operations_settled',
  'operations_tag',
  'password_attempts_at',
];

const SCHEMA_VERSION = MIGRATIONS.length;

export interface Migration {
  /** For the journal and the log, in plain words. */
  readonly warnings: readonly string[];
  /** Why what was stored cannot be trusted and a new, empty state was begun. */
  readonly distrust: string | null;
}

/**
 * Brings the database to this version. A database that is newer than known, or whose tables are not what the version
 * says, is set aside under other names (nothing is deleted) and the bridge starts with an empty one that is not trusted.
 *
 * Everything is read and written under one lock: processes that begin on one file do not meet half of each other's work.
 *
 * @throws BridgeError `state_unavailable` where the memory itself fails
 */
export function migrate(sql: Sql, nowMs: number): Migration {
  try {
    return sql.transaction(() => {
      const version = readVersion(sql);
      if (version > SCHEMA_VERSION)
        throw new Unreadable(`it has version ${version}, this bridge knows ${SCHEMA_VERSION}`);
      upgrade(sql, version);
      for (const table of TABLES) sql.run(`SELECT 1 FROM ${table} LIMIT 1`);
      const migrated = version > 0 && version < SCHEMA_VERSION;
      const warning = `The stored state was migrated from version ${version} to ${SCHEMA_VERSION}.`;
      return { warnings: migrated ? [warning] : [], distrust: null };
    });
  } catch (error) {
    if (error instanceof BridgeError) throw error;
    const distrust = `The stored state could not be read and was set aside: ${(error as Error).message}.`;
    sql.transaction(() => {
      setAside(sql, nowMs);
      upgrade(sql, 0);
    });
    return { warnings: [], distrust };
  }
}

class Unreadable extends Error {}

/** 0 = empty database. @throws Error when the version is not a whole number */
function readVersion(sql: Sql): number {
  if (!tableExists(sql, VERSION_TABLE)) return 0;
  const version = sql.run(`SELECT version FROM ${VERSION_TABLE}`)[0]?.['version'];
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 0)
    throw new Unreadable('its version cannot be read');
  return version;
}

function upgrade(sql: Sql, from: number): void {
  if (from === SCHEMA_VERSION) return;
  for (const migration of MIGRATIONS.slice(from)) for (const statement of migration) sql.run(statement);
  sql.run(`CREATE TABLE IF NOT EXISTS ${VERSION_TABLE} (version INTEGER NOT NULL)`);
  sql.run(`DELETE FROM ${VERSION_TABLE}`);
  sql.run(`INSERT INTO ${VERSION_TABLE} (version) VALUES (?)`, SCHEMA_VERSION);
}

/** Renames what is there. */
function setAside(sql: Sql, nowMs: number): void {
  for (const index of INDEXES) sql.run(`DROP INDEX IF EXISTS ${index}`);
  for (const table of [...TABLES, VERSION_TABLE])
    if (tableExists(sql, table)) sql.run(`ALTER TABLE ${table} RENAME TO aside_${nowMs}_${table}`);
}

const tableExists = (sql: Sql, name: string): boolean =>
  sql.run(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?`, name).length > 0;
