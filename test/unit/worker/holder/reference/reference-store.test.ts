import { beforeEach, describe, expect, it } from 'vitest';
import { SqliteFile } from '../../../../../container/host/sqlite-file.ts';
import { ReferenceStore, type StoredReference } from '../../../../../worker/holder/reference/reference-store.ts';

let sql: SqliteFile;
let store: ReferenceStore;
const LIMITS = { entries: 3, characters: 1_000, partCharacters: 4 };
/** As the next Durable Object of this name opens it. */
const opened = (source = 'broker'): ReferenceStore => new ReferenceStore(sql, source, LIMITS);

beforeEach(() => {
  sql = SqliteFile.open('memory:');
  store = opened();
});

const answer = (more: Partial<StoredReference> = {}): StoredReference => ({
  class: 'symbols',
  body: '{"symbol":"EURUSD"}',
  contentType: 'application/json',
  etag: '"1"',
  readAtMs: 1_000,
  freshForMs: 60_000,
  generation: store.generations.symbols,
  ...more,
});

describe('what is kept', () => {
  it('is there after a restart, whole, with its age and generation', () => {
    store.invalidate('symbols');
    // Cut between the halves of a character, it would come back as another.
    const kept = answer({ body: 'abc\u{1F600}d\u{1F600}\u{1F600}efg' });
    expect(store.put('k', kept)).toBe(true);
    const next = opened();
    expect(next.find('k')).toEqual(kept);
    expect(next.generations).toEqual({ server: 1, groups: 1, symbols: 2 });
    expect(next.entries).toBe(1);
  });

  it('with the same ETag is only made younger, with another replaced', () => {
    store.put('k', answer());
    store.put('k', answer({ readAtMs: 2_000, body: 'not looked at' }));
    expect(store.find('k')).toEqual(answer({ readAtMs: 2_000 }));
    store.put('k', answer({ etag: '"2"', body: 'new' }));
    expect(store.find('k')).toMatchObject({ etag: '"2"', body: 'new' });
    expect(store.entries).toBe(1);
  });

  it('is no more than it may be: what was read longest ago goes first', () => {
    for (const [i, key] of ['a', 'b', 'c', 'd'].entries()) store.put(key, answer({ readAtMs: i }));
    expect(['a', 'b', 'c', 'd'].map((key) => store.find(key)?.readAtMs)).toEqual([undefined, 1, 2, 3]);
    store.put('long', answer({ readAtMs: 9, body: 'x'.repeat(990) }));
    expect(['b', 'c', 'd', 'long'].map((key) => store.find(key)?.readAtMs)).toEqual([
      undefined,
      undefined,
      undefined,
      9,
    ]);
    expect(store.put('too long', answer({ body: 'x'.repeat(1_001) }))).toBe(false);
  });
});

describe('a write', () => {
  it('takes the class with it, leaves the others, and what was read before it is not kept after it', () => {
    const before = answer();
    store.put('symbol', before);
    store.put('group', answer({ class: 'groups' }));
    store.beginWrite('symbols');
    store.put('read meanwhile', before);
    store.endWrite('symbols');
    expect(store.find('symbol')).toBeUndefined();
    expect(store.find('read meanwhile')).toBeUndefined();
    expect(store.find('group')).toBeDefined();
    expect(store.put('symbol', before)).toBe(false);
    expect(store.put('symbol', answer())).toBe(true);
  });

  it('that was under way when the Durable Object ended is taken for done', () => {
    store.put('symbol', answer());
    store.beginWrite('symbols');
    const { symbols } = store.generations;
    const next = opened();
    expect(next.find('symbol')).toBeUndefined();
    expect(next.generations.symbols).toBeGreaterThan(symbols);
    expect(opened().generations.symbols).toBe(next.generations.symbols);
  });
});

it('the answers of another broker, login or program are not used', () => {
  store.put('k', answer());
  const next = opened('another broker');
  expect(next.find('k')).toBeUndefined();
  expect(next.generations.symbols).toBeGreaterThan(1);
});
