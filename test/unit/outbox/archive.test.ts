import { beforeEach, expect, it } from 'vitest';
import { SqliteFile } from '../../../container/host/sqlite-file.ts';
import { Archive, type ArchiveSource } from '../../../container/outbox/archive/archive.ts';
import { eraseLogin } from '../../../container/outbox/archive/erase.ts';
import { keptDays, keptRows } from '../../../container/outbox/archive/read-archive.ts';
import type { ArchiveStore } from '../../../container/outbox/archive/store.ts';
import { migrateOutbox, OutboxSettings } from '../../../container/outbox/tables.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Objects in memory, never replaced. */
class MemoryStore implements ArchiveStore {
  readonly objects = new Map<string, Uint8Array<ArrayBuffer>>();
  isAway = false;

  async create(key: string, content: string | Uint8Array<ArrayBuffer>): Promise<'created' | 'exists'> {
    if (this.isAway) throw new Error('R2 is away');
    if (this.objects.has(key)) return 'exists';
    this.objects.set(key, typeof content === 'string' ? new TextEncoder().encode(content) : content);
    return 'created';
  }

  async read(key: string): Promise<string | null> {
    const bytes = this.objects.get(key);
    return bytes ? new TextDecoder().decode(bytes) : null;
  }

  async readBytes(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.objects.get(key) ?? null;
  }

  async list(prefix: string, after: string): Promise<readonly string[]> {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    return keys.slice(0, 2);
  }
}

interface Asked {
  readonly kind: string;
  readonly day: string;
}

let store: MemoryStore;
let settings: OutboxSettings;
let nowMs: number;
let asked: Asked[];
let warnings: string[];
/** Rows of one deal list. */
let deals: (day: string) => AsyncIterable<readonly object[]>;
beforeEach(() => {
  store = new MemoryStore();
  const sql = SqliteFile.open('memory:');
  migrateOutbox(sql);
  settings = new OutboxSettings(sql);
  warnings = [];
  nowMs = Date.parse('2026-11-28T02:59:00Z');
  asked = [];
  deals = async function* some(day) {
    yield [{ login: 1001, ticket: '9007199254740993', profit: '-0.10', comment: day }];
    yield [{ login: 1002, ticket: '2', profit: '100000000000000000.01' }];
  };
});

const source: ArchiveSource = (kind, { fromMs, toMs }) => {
  expect(toMs - fromMs).toBe(DAY_MS);
  const day = new Date(fromMs).toISOString().slice(0, 10);
  asked.push({ kind, day });
  if (kind === 'deals') return deals(day);
  return (async function* reports() {
    yield [{ login: 1001, name: 'Oliver Bennett', email: 'o@b.example', balance: '1.00', reportAtMs: fromMs }];
  })();
};
const open = (): Archive =>
  new Archive({ store, source, settings, broker: 'main', now: () => nowMs, warn: (message) => warnings.push(message) });

const daysOf = async (kind: 'deals' | 'daily-reports' = 'deals'): Promise<string[]> => {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await keptDays({ store, broker: 'main' }, kind, { limit: 1, cursor });
    found.push(...page.items.map(({ day }) => day));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return found;
};

it('keeps the last closed day first, and then every day after it, however many crons did not come', async () => {
  // Not closed yet: the server still writes the reports of the 27th.
  expect(await open().run()).toBe(true);
  expect(await daysOf()).toEqual(['2026-11-26']);
  nowMs += 60_000;
  const archive = open();
  await archive.run();
  await archive.run();
  expect(await daysOf()).toEqual(['2026-11-26', '2026-11-27']);
  nowMs += 5 * DAY_MS;
  await open().run();
  expect(await daysOf()).toEqual(
    ['26', '27', '28', '29', '30'].map((day) => `2026-11-${day}`).concat(['2026-12-01', '2026-12-02']),
  );
  expect(await daysOf('daily-reports')).toEqual(await daysOf());
  // Each day was asked for once.
  expect(new Set(asked.map((one) => JSON.stringify(one))).size).toBe(asked.length);
});

it('a day is there whole or not at all, and what is there is never written again', async () => {
  nowMs = Date.parse('2026-11-27T04:00:00Z');
  deals = async function* cut(day) {
    yield [{ login: 1001, ticket: '1', profit: '1.00', comment: day }];
    throw new Error('the broker gave a part of it');
  };
  const archive = open();
  expect(await archive.run()).toBe(false);
  expect(archive.faultOf('deals')).toContain('a part of it');
  expect(await daysOf()).toEqual([]);
  expect(await daysOf('daily-reports')).toEqual(['2026-11-26']);
  // It is not tried at every cron, which would keep a bridge awake; the same fault is said once.
  const before = asked.length;
  await open().run();
  expect(asked).toHaveLength(before);
  nowMs += HOUR_MS;
  await archive.run();
  expect(asked).toHaveLength(before + 1);
  expect(warnings.filter((message) => message.includes('a part of it'))).toHaveLength(1);
  nowMs += HOUR_MS;
  store.isAway = true;
  deals = async function* whole(day) {
    yield [{ login: 1001, ticket: '1', profit: '1.00', comment: day }];
  };
  expect(await archive.run()).toBe(false);
  expect(archive.faultOf('deals')).toContain('R2 is away');
  store.isAway = false;
  nowMs += HOUR_MS;
  expect(await archive.run()).toBe(true);
  expect(archive.faultOf('deals')).toBeNull();
  const kept = new Map(store.objects);
  // Two that run at once and are told differently: the day is what one of them was told, all of it.
  nowMs += DAY_MS;
  let calls = 0;
  deals = async function* told() {
    const login = ++calls;
    yield [{ login, ticket: '1' }];
    yield [{ login, ticket: '2' }];
  };
  await Promise.all([open().run(), open().run()]);
  expect(calls).toBe(2);
  const { items } = await keptRows({ store, broker: 'main' }, { kind: 'deals', day: '2026-11-27' }, { limit: 9 });
  expect(items.map(({ ticket }) => ticket)).toEqual(['1', '2']);
  expect(new Set(items.map(({ login }) => login)).size).toBe(1);
  for (const [key, bytes] of kept) expect(store.objects.get(key)).toEqual(bytes);
});

it('is read back as it was told: exact decimals, without names, by login, page by page', async () => {
  await open().run();
  const kept = { store, broker: 'main' };
  const day = '2026-11-26';
  expect(await keptRows(kept, { kind: 'deals', day }, { limit: 10 })).toEqual({
    items: [
      { login: 1001, ticket: '9007199254740993', profit: '-0.10', comment: day },
      { login: 1002, ticket: '2', profit: '100000000000000000.01' },
    ],
    nextCursor: null,
  });
  const first = await keptRows(kept, { kind: 'deals', day }, { limit: 1 });
  expect(first).toMatchObject({ items: [{ login: 1001 }], nextCursor: '0.1' });
  const second = await keptRows(kept, { kind: 'deals', day }, { limit: 1, cursor: first.nextCursor ?? '' });
  expect(second).toMatchObject({ items: [{ login: 1002 }], nextCursor: null });
  expect((await keptRows(kept, { kind: 'deals', day }, { limit: 5, login: 1002 })).items).toHaveLength(1);
  expect((await keptRows(kept, { kind: 'daily-reports', day }, { limit: 5 })).items).toEqual([
    { login: 1001, balance: '1.00', reportAtMs: Date.parse(day) },
  ]);
  await expect(keptRows(kept, { kind: 'deals', day: '2026-11-27' }, { limit: 5 })).rejects.toMatchObject({
    code: 'object_not_found',
  });
});

it('the lines of a login are taken out, and the days hold together', async () => {
  await open().run();
  const kept = { store, broker: 'main' };
  const replace = async (key: string, content: string | Uint8Array<ArrayBuffer>): Promise<void> => {
    store.objects.delete(key);
    await store.create(key, content);
  };
  expect(await eraseLogin({ ...kept, replace }, 'deals', 1001)).toBe(1);
  expect(await eraseLogin({ ...kept, replace }, 'daily-reports', 1001)).toBe(1);
  const day = '2026-11-26';
  expect((await keptRows(kept, { kind: 'deals', day }, { limit: 5 })).items).toMatchObject([{ login: 1002 }]);
  expect((await keptRows(kept, { kind: 'daily-reports', day }, { limit: 5 })).items).toEqual([]);
  expect((await keptDays(kept, 'deals', { limit: 5 })).items).toMatchObject([{ day, items: 1 }]);
  expect(await eraseLogin({ ...kept, replace }, 'deals', 1001)).toBe(0);
});

it('a large day is several objects; one that was altered is not taken for what was kept', async () => {
  deals = async function* many() {
    for (let n = 0; n < 12; n++)
      yield Array.from({ length: 1_000 }, (_, i) => ({ login: 1001 + (i % 10), ticket: String(n * 1_000 + i) }));
  };
  await open().run();
  const kept = { store, broker: 'main' };
  const { items } = await keptDays(kept, 'deals', { limit: 5 });
  expect(items).toMatchObject([{ items: 12_000, parts: [{ items: 5_000 }, { items: 5_000 }, { items: 2_000 }] }]);
  const of = { kind: 'deals', day: '2026-11-26' } as const;
  const all = await keptRows(kept, of, { limit: 20_000 });
  expect(new Set(all.items.map(({ ticket }) => ticket)).size).toBe(12_000);
  const key = items[0]?.parts[1]?.key ?? '';
  const bytes = store.objects.get(key)?.slice();
  if (!bytes) throw new Error('no part');
  bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
  store.objects.set(key, bytes);
  await expect(keptRows(kept, of, { limit: 20_000 })).rejects.toMatchObject({
    code: 'state_unavailable',
    context: { detail: expect.stringContaining(key) },
  });
  expect((await keptRows(kept, of, { limit: 10 })).items).toHaveLength(10);
});
