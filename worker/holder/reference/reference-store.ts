import { REFERENCE_CLASSES, type ReferenceClass } from '../../../container/contract/reference-data.ts';
import type { Sql } from '../../../container/state/sql.ts';
import { type Generations, perClass } from '../../reference-wire.ts';

/** An answer as it was read. */
export interface StoredReference {
  readonly class: ReferenceClass;
  readonly body: string;
  readonly contentType: string;
  readonly etag: string;
  /** When the broker was asked for it, epoch ms. */
  readonly readAtMs: number;
  readonly freshForMs: number;
  readonly generation: number;
}

export interface ReferenceLimits {
  readonly entries: number;
  readonly characters: number;
  /** Of one row of the body; SQLite in a Durable Object takes 2 MB, and a character up to three bytes. */
  readonly partCharacters: number;
}
/** 64 M characters: some twenty lists of a thousand symbols, and every symbol of a large broker by itself. */
export const REFERENCE_LIMITS: ReferenceLimits = {
  entries: 10_000,
  characters: 64 * 1024 * 1024,
  partCharacters: 512 * 1024,
};

/** Answers of reference data in the Durable Object's SQLite, with the generation of each class. Those read longest ago go first. */
export class ReferenceStore {
  readonly #sql: Sql;
  readonly #limits: ReferenceLimits;
  readonly #generations: Record<ReferenceClass, number>;
  /** Writes under way that may change a class. */
  readonly #writing = perClass(() => 0);
  #entries = 0;
  #characters = 0;

  /** @param source of what is kept: the answers of another broker, login or program are not used */
  constructor(sql: Sql, source: string, limits: ReferenceLimits = REFERENCE_LIMITS) {
    this.#sql = sql;
    this.#limits = limits;
    sql.run(`CREATE TABLE IF NOT EXISTS reference_classes (
      class TEXT PRIMARY KEY, generation INTEGER NOT NULL, writing INTEGER NOT NULL, source TEXT NOT NULL)`);
    sql.run(`CREATE TABLE IF NOT EXISTS reference_answers (
      key TEXT PRIMARY KEY, class TEXT NOT NULL, content_type TEXT NOT NULL, etag TEXT NOT NULL, read_at_ms INTEGER NOT NULL,
      fresh_for_ms INTEGER NOT NULL, generation INTEGER NOT NULL, characters INTEGER NOT NULL)`);
    sql.run('CREATE INDEX IF NOT EXISTS reference_answers_read ON reference_answers (read_at_ms)');
    sql.run(`CREATE TABLE IF NOT EXISTS reference_parts (
      key TEXT NOT NULL, part INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (key, part))`);
    const rows = new Map(sql.run('SELECT * FROM reference_classes').map((row) => [row['class'], row]));
    this.#generations = perClass((one) => Number(rows.get(one)?.['generation'] ?? 0));
    // A write was under way when the last object of this name ended: nobody told when it was executed.
    const doubted = REFERENCE_CLASSES.filter(
      (one) => rows.get(one)?.['source'] !== source || Number(rows.get(one)?.['writing']) !== 0,
    );
    for (const one of REFERENCE_CLASSES)
      sql.run(
        'INSERT OR REPLACE INTO reference_classes (class, generation, writing, source) VALUES (?, ?, 0, ?)',
        one,
        this.#generations[one],
        source,
      );
    this.#count();
    for (const one of doubted) this.invalidate(one);
  }

  get generations(): Generations {
    return this.#generations;
  }

  get entries(): number {
    return this.#entries;
  }

  find(key: string): StoredReference | undefined {
    const row = this.#sql.run('SELECT * FROM reference_answers WHERE key = ?', key)[0];
    if (!row) return undefined;
    const parts = this.#sql.run('SELECT body FROM reference_parts WHERE key = ? ORDER BY part', key);
    return {
      class: row['class'] as ReferenceClass,
      body: parts.map(({ body }) => String(body)).join(''),
      contentType: String(row['content_type']),
      etag: String(row['etag']),
      readAtMs: Number(row['read_at_ms']),
      freshForMs: Number(row['fresh_for_ms']),
      generation: Number(row['generation']),
    };
  }

  /** Not kept: what was read before a write that may have changed it. @returns whether it is kept */
  put(key: string, answer: StoredReference): boolean {
    const { class: of, generation, etag, readAtMs, freshForMs, contentType, body } = answer;
    if (generation !== this.#generations[of] || body.length > this.#limits.characters) return false;
    const known = this.#sql.run('SELECT etag, characters FROM reference_answers WHERE key = ?', key)[0];
    if (known?.['etag'] === etag) {
      const renewed = 'UPDATE reference_answers SET read_at_ms = ?, fresh_for_ms = ?, generation = ? WHERE key = ?';
      this.#sql.run(renewed, readAtMs, freshForMs, generation, key);
      return true;
    }
    this.#sql.transaction(() => {
      this.#deleteRows(key);
      this.#sql.run(
        `INSERT INTO reference_answers (key, class, content_type, etag, read_at_ms, fresh_for_ms, generation, characters)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        key,
        of,
        contentType,
        etag,
        readAtMs,
        freshForMs,
        generation,
        body.length,
      );
      for (const [part, text] of partsOf(body, this.#limits.partCharacters).entries())
        this.#sql.run('INSERT INTO reference_parts (key, part, body) VALUES (?, ?, ?)', key, part, text);
    });
    this.#entries += known ? 0 : 1;
    this.#characters += body.length - Number(known?.['characters'] ?? 0);
    this.#makeRoom(key);
    return true;
  }

  delete(key: string): void {
    this.#sql.transaction(() => this.#deleteRows(key));
    this.#count();
  }

  /** What is kept of the class, and what is being read of it, is as if it had never been read. */
  invalidate(one: ReferenceClass): void {
    this.#generations[one]++;
    this.#sql.transaction(() => {
      this.#sql.run('UPDATE reference_classes SET generation = ? WHERE class = ?', this.#generations[one], one);
      this.#sql.run(
        'DELETE FROM reference_parts WHERE key IN (SELECT key FROM reference_answers WHERE class = ?)',
        one,
      );
      this.#sql.run('DELETE FROM reference_answers WHERE class = ?', one);
    });
    this.#count();
  }

  /** A write that may change the class is sent: its end, told or not, invalidates. */
  beginWrite(one: ReferenceClass): void {
    if (this.#writing[one]++ === 0) this.#sql.run('UPDATE reference_classes SET writing = 1 WHERE class = ?', one);
  }

  endWrite(one: ReferenceClass): void {
    this.invalidate(one);
    if (--this.#writing[one] === 0) this.#sql.run('UPDATE reference_classes SET writing = 0 WHERE class = ?', one);
  }

  #makeRoom(keep: string): void {
    while (this.#entries > this.#limits.entries || this.#characters > this.#limits.characters) {
      const oldest = 'SELECT key, characters FROM reference_answers WHERE key <> ? ORDER BY read_at_ms LIMIT 1';
      const row = this.#sql.run(oldest, keep)[0];
      if (!row) return;
      this.#sql.transaction(() => this.#deleteRows(String(row['key'])));
      this.#entries--;
      this.#characters -= Number(row['characters']);
    }
  }

  #deleteRows(key: string): void {
    this.#sql.run('DELETE FROM reference_parts WHERE key = ?', key);
    this.#sql.run('DELETE FROM reference_answers WHERE key = ?', key);
  }

  #count(): void {
    const row = this.#sql.run('SELECT count(*) AS entries, total(characters) AS characters FROM reference_answers')[0];
    this.#entries = Number(row?.['entries'] ?? 0);
    this.#characters = Number(row?.['characters'] ?? 0);
  }
}

/** Never cut between the two halves of a character. */
function partsOf(text: string, most: number): string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = at + most;
    const isHalf = end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
    parts.push(text.slice(at, isHalf ? end - 1 : end));
    at += (parts.at(-1) ?? '').length;
  }
  return parts;
}
