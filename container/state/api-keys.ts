import { asBridgeError, BridgeError } from '../contract/errors.ts';
import type { Actor, EventType } from '../contract/events.ts';
import { apiKeyOf, keyRecordSchema, type ApiKey, type KeyRecord } from '../contract/key-records.ts';
import type { EventOutbox } from './event-outbox.ts';
import type { Sql, SqlRow } from './sql.ts';
import type { KeyChange, KeyEntry, KeysApi } from './keys-api.ts';

/** `last_used_at_ms` is written at most so often. */
const USED_EVERY_MS = 60_000;
/** One snapshot of all keys goes to every door. */
const MOST_KEYS = 1000;

export interface ApiKeysParts {
  readonly sql: Sql;
  readonly now: () => number;
  readonly warn: (message: string) => void;
  /** Why a key was changed or revoked, for the journal. */
  readonly journal: (reason: string) => void;
  readonly outbox: EventOutbox;
  /** A key says something else now, or nothing: its streams end, and its traders' sessions unless only its secret changed. */
  readonly onChanged: (id: string, what: { readonly endsSessions: boolean }) => void;
}

/**
 * The API keys, by hash. `BRIDGE_API_KEYS` is where they begin: a key of the variable that was revoked or changed here
 * stays so until the variable itself says something else of it, and one that left the variable is gone.
 */
export class ApiKeys implements KeysApi {
  readonly #parts: ApiKeysParts;
  #active: ReadonlyMap<string, ApiKey> | undefined;
  #followed: ReadonlyMap<string, ApiKey> | undefined;
  readonly #usedAtMs = new Map<string, number>();

  constructor(parts: ApiKeysParts) {
    this.#parts = parts;
  }

  /** Takes over the keys of `BRIDGE_API_KEYS`. */
  bootstrap(records: readonly KeyRecord[]): void {
    const { sql, now, outbox } = this.#parts;
    const changed: string[] = [];
    const data = { source: 'variable' };
    sql.transaction(() => {
      for (const record of records) {
        const text = JSON.stringify(record);
        const row = this.#row(record.id);
        if (row && (row['bootstrap'] === text || row['revoked_at_ms'] !== null)) continue;
        sql.run(
          `INSERT INTO api_keys (id, record, bootstrap, created_at_ms, changed_at_ms) VALUES (?1, ?2, ?2, ?3, ?3)
             ON CONFLICT (id) DO UPDATE SET record = ?2, bootstrap = ?2, changed_at_ms = ?3`,
          record.id,
          text,
          now(),
        );
        if (row) changed.push(record.id);
        const before = row && this.#record(row);
        outbox.tell({
          type: row ? 'key.changed' : 'key.created',
          data: { ...data, id: record.id, before: rightsOf(before), after: rightsOf(record) },
        });
      }
      const kept = new Set(records.map(({ id }) => id));
      for (const { id } of sql.run('SELECT id FROM api_keys WHERE bootstrap IS NOT NULL AND revoked_at_ms IS NULL'))
        if (!kept.has(String(id))) {
          sql.run('DELETE FROM api_keys WHERE id = ?', String(id));
          outbox.tell({ type: 'key.revoked', data: { ...data, id } });
          changed.push(String(id));
        }
    });
    this.#active = undefined;
    for (const id of changed) this.#parts.onChanged(id, { endsSessions: true });
  }

  /**
   * Another object keeps the keys and told these: they count in place of what is stored here. What ended since it told
   * last ends here too.
   */
  follow(keys: readonly ApiKey[]): void {
    const before = this.#followed;
    const after = new Map(keys.map((key) => [key.caller.id, key]));
    this.#followed = after;
    for (const [id, key] of before ?? []) {
      const now = after.get(id);
      const endsSessions = JSON.stringify([now?.caller, now?.ips]) !== JSON.stringify([key.caller, key.ips]);
      const lostSecret = key.hashes.some((hash) => !now?.hashes.includes(hash));
      if (endsSessions || lostSecret) this.#parts.onChanged(id, { endsSessions });
    }
  }

  /** Every key that is not revoked. Expiry is for whoever compares. */
  active(): ReadonlyMap<string, ApiKey> {
    if (this.#followed) return this.#followed;
    this.#active ??= new Map(
      this.#parts.sql.run('SELECT * FROM api_keys WHERE revoked_at_ms IS NULL').flatMap((row) => {
        const record = this.#record(row);
        return record ? [[record.id, apiKeyOf(record)] as const] : [];
      }),
    );
    return this.#active;
  }

  /** The key of this id, if it opens anything now. */
  find(id: string): ApiKey | undefined {
    const key = this.active().get(id);
    const expiresAtMs = key?.caller.expiresAtMs;
    return expiresAtMs !== undefined && expiresAtMs <= this.#parts.now() ? undefined : key;
  }

  /** A key was used: kept to the minute. */
  used(id: string): void {
    const nowMs = this.#parts.now();
    if (nowMs - (this.#usedAtMs.get(id) ?? 0) < USED_EVERY_MS) return;
    this.#usedAtMs.set(id, nowMs);
    try {
      this.#parts.sql.run('UPDATE api_keys SET last_used_at_ms = ? WHERE id = ?', nowMs, id);
    } catch (error) {
      // Nobody is kept out for it; the next minute's use is noted again.
      this.#parts.warn(`The use of key ${id} could not be noted: ${asBridgeError(error).context.detail}`);
    }
  }

  async list(): Promise<readonly KeyEntry[]> {
    return this.#parts.sql
      .run('SELECT * FROM api_keys ORDER BY created_at_ms, id')
      .flatMap((row) => this.#entry(row) ?? []);
  }

  async create(record: KeyRecord, by?: Actor): Promise<KeyEntry> {
    const { sql, now, journal, outbox } = this.#parts;
    return sql.transaction(() => {
      if (this.#row(record.id))
        throw new BridgeError('invalid_field', {
          detail: `id: a key ${record.id} is there already; a revoked one keeps its id.`,
          field: 'id',
          expected: 'an id that is not in use',
        });
      if (Number(sql.run('SELECT count(*) AS n FROM api_keys')[0]?.['n']) >= MOST_KEYS)
        throw new BridgeError('overloaded', `There are ${MOST_KEYS} keys, which is the most.`);
      sql.run(
        'INSERT INTO api_keys (id, record, created_at_ms, changed_at_ms) VALUES (?1, ?2, ?3, ?3)',
        record.id,
        JSON.stringify(record),
        now(),
      );
      this.#active = undefined;
      journal(`Key ${record.id} was made.`);
      outbox.tell({ type: 'key.created', by, data: { id: record.id, after: rightsOf(record) } });
      return this.#require(record.id);
    });
  }

  async change(id: string, change: KeyChange, by?: Actor): Promise<KeyEntry> {
    return this.#write(id, { type: 'key.changed', what: 'changed', by, endsSessions: true }, (record) => {
      const named = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
      const merged = { ...record, ...named };
      // `null` takes a bound away.
      return keyRecordSchema.parse(
        Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null && value !== undefined)),
      );
    });
  }

  async rotate(id: string, hash: string, keepOld: boolean, by?: Actor): Promise<KeyEntry> {
    return this.#write(id, { type: 'key.rotated', what: 'rotated', by, endsStreams: !keepOld }, (record) => {
      const newest = [record.hash].flat().at(-1);
      return { ...record, hash: keepOld && newest !== undefined ? [newest, hash] : hash };
    });
  }

  async finishRotation(id: string, by?: Actor): Promise<KeyEntry> {
    const what = 'rid of its old secret';
    return this.#write(id, { type: 'key.rotation_finished', what, by, endsStreams: true }, (record) => ({
      ...record,
      hash: [record.hash].flat().at(-1) ?? record.hash,
    }));
  }

  async revoke(id: string, by?: Actor): Promise<boolean> {
    const { sql, now, journal, outbox, onChanged } = this.#parts;
    const isRevoked = sql.transaction(() => {
      const [row] = sql.run(
        'UPDATE api_keys SET revoked_at_ms = ? WHERE id = ? AND revoked_at_ms IS NULL RETURNING id',
        now(),
        id,
      );
      if (!row) return false;
      journal(`Key ${id} was revoked.`);
      outbox.tell({ type: 'key.revoked', by, data: { id } });
      return true;
    });
    if (!isRevoked) return false;
    this.#active = undefined;
    onChanged(id, { endsSessions: true });
    return true;
  }

  #write(
    id: string,
    { type, what, by, endsSessions = false, endsStreams = endsSessions }: KeyWrite,
    edit: (record: KeyRecord) => KeyRecord,
  ): KeyEntry {
    const { sql, now, journal, outbox, onChanged } = this.#parts;
    const entry = sql.transaction(() => {
      const row = this.#row(id);
      const record = row && row['revoked_at_ms'] === null ? this.#record(row) : undefined;
      if (!record) throw new BridgeError('object_not_found', { detail: `There is no key ${id}.`, outcome: 'not_sent' });
      const edited = edit(record);
      sql.run('UPDATE api_keys SET record = ?, changed_at_ms = ? WHERE id = ?', JSON.stringify(edited), now(), id);
      this.#active = undefined;
      journal(`Key ${id} was ${what}.`);
      outbox.tell({ type, by, data: { id, before: rightsOf(record), after: rightsOf(edited) } });
      return this.#require(id);
    });
    if (endsStreams) onChanged(id, { endsSessions });
    return entry;
  }

  #row(id: string): SqlRow | undefined {
    return this.#parts.sql.run('SELECT * FROM api_keys WHERE id = ?', id)[0];
  }

  #record(row: SqlRow): KeyRecord | undefined {
    try {
      return keyRecordSchema.parse(JSON.parse(String(row['record'])));
    } catch {
      this.#parts.warn(`The stored key ${String(row['id'])} cannot be read: it opens nothing.`);
      return undefined;
    }
  }

  #require(id: string): KeyEntry {
    const row = this.#row(id);
    const entry = row && this.#entry(row);
    if (!entry) throw new Error('the key that was just written is not there');
    return entry;
  }

  #entry(row: SqlRow): KeyEntry | undefined {
    const record = this.#record(row);
    if (!record) return undefined;
    const { hash, ...rights } = record;
    const at = (name: string): number | null => (typeof row[name] === 'number' ? row[name] : null);
    return {
      ...rights,
      hashes: [hash].flat().length,
      source: row['bootstrap'] === null ? 'admin' : 'variable',
      createdAtMs: at('created_at_ms') ?? 0,
      changedAtMs: at('changed_at_ms') ?? 0,
      lastUsedAtMs: at('last_used_at_ms'),
      revokedAtMs: at('revoked_at_ms'),
    };
  }
}

interface KeyWrite {
  readonly type: EventType;
  /** The end of a sentence. */
  readonly what: string;
  readonly by?: Actor | undefined;
  readonly endsSessions?: boolean;
  readonly endsStreams?: boolean;
}

/** What a key may do, without what opens it. */
function rightsOf(record: KeyRecord | undefined): Omit<KeyRecord, 'hash'> | null {
  if (!record) return null;
  const { hash: _, ...rights } = record;
  return rights;
}
