import { beforeEach, expect, it } from 'vitest';
import type { BridgeEvent } from '../../../container/contract/events.ts';
import { NODE_DIGESTS } from '../../../container/host/node-digests.ts';
import { SqliteFile } from '../../../container/host/sqlite-file.ts';
import { readAudit } from '../../../container/outbox/audit/read-audit.ts';
import { eraseEvents } from '../../../container/outbox/audit/erase.ts';
import type { AuditStore } from '../../../container/outbox/audit/store.ts';
import { type AuditExpectation, type AuditVerdict, AuditVerifier } from '../../../container/outbox/audit/verify.ts';
import { Outbox } from '../../../container/outbox/outbox.ts';
import type { Sql } from '../../../container/state/sql.ts';

const NO_WEBHOOKS = { sender: { send: async () => ({ status: 204 }) }, allowedOrigins: [] };

const DAY_MS = 86_400_000;
const NOON_MS = Date.parse('2026-11-28T12:00:00Z');

/** Objects in memory; `fails` is asked before and after each creation. */
class MemoryStore implements AuditStore {
  readonly objects = new Map<string, string>();
  fails: (when: 'before' | 'after') => boolean = () => false;

  async create(key: string, text: string): Promise<'created' | 'exists'> {
    if (this.fails('before')) throw new Error('away');
    const isNew = !this.objects.has(key);
    if (isNew) this.objects.set(key, text);
    if (this.fails('after')) throw new Error('no answer');
    return isNew ? 'created' : 'exists';
  }

  async read(key: string): Promise<string | null> {
    return this.objects.get(key) ?? null;
  }

  async list(prefix: string, after: string): Promise<readonly string[]> {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
  }
}

let store: MemoryStore;
let sql: Sql;
let nowMs = NOON_MS;
let warnings: string[];
beforeEach(() => {
  store = new MemoryStore();
  sql = SqliteFile.open('memory:');
  nowMs = NOON_MS;
  warnings = [];
});

const open = (memory = sql, policy = {}): Outbox =>
  new Outbox({
    sql: memory,
    broker: 'main',
    now: () => nowMs,
    random: () => 0.5,
    webhooks: NO_WEBHOOKS,
    warn: (message) => warnings.push(message),
    audit: { store, policy: { objectEvents: 3, ...policy } },
  });

/** As `GET /v1/audit/head` tells it. */
const headOf = (outbox: Outbox) => {
  const { log } = outbox.requireAudit();
  return { ...log.head, ...log.backlog, publicKey: log.publicKey };
};

let told = 0;
/** Events as a source hands them over, `from` on. */
const events = (count: number, { source = 'a', from = 1, atMs = nowMs } = {}) => ({
  source,
  events: Array.from({ length: count }, (_, i) => {
    const event: BridgeEvent = {
      id: `evt_${String(++told).padStart(32, '0')}`,
      type: i % 2 === 0 ? 'operation.done' : 'key.changed',
      time: new Date(atMs).toISOString(),
      timeMs: atMs,
      broker: 'main',
      caller: 'desk',
      login: 1001 + (i % 2),
      data: { key: `k${from + i}` },
    };
    return { seq: from + i, text: JSON.stringify(event) };
  }),
});

async function verify(expected: AuditExpectation = {}): Promise<AuditVerdict> {
  const verifier = new AuditVerifier(expected, NODE_DIGESTS);
  for (const key of await store.list('main/', '')) await verifier.add(key, store.objects.get(key) ?? '');
  return verifier.end();
}

const keysOf = (): unknown[] =>
  [...store.objects.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, text]) => text.trim().split('\n'))
    .map((line) => (JSON.parse(line) as { event: { data?: { key?: unknown } } | null }).event?.data?.key)
    .filter((key) => key !== undefined);
const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `k${i + 1}`);

it('chains every event in objects by date and number, closes a day signed, and knows its head', async () => {
  const outbox = open();
  outbox.take(events(4));
  expect(outbox.backlog).toMatchObject({ pending: 4, oldestAtMs: NOON_MS, fault: null });
  await outbox.flush();
  nowMs += DAY_MS;
  outbox.take(events(2, { from: 5 }));
  await outbox.flush();
  expect([...store.objects.keys()]).toEqual([
    'main/2026/11/28/000000000000001.ndjson',
    'main/2026/11/28/000000000000004.ndjson',
    'main/2026/11/29/000000000000005.ndjson',
  ]);
  const head = headOf(outbox);
  expect(head).toMatchObject({ seq: 7, day: '2026-11-29', pending: 0, fault: null });
  const verdict = await verify({ head: head.hash, publicKey: head.publicKey ?? '' });
  expect(verdict).toMatchObject({ objects: 3, records: 7, faults: [], head: { seq: 7, hash: head.hash } });
  const [first] = (store.objects.get('main/2026/11/29/000000000000005.ndjson') ?? '').split('\n');
  expect(JSON.parse(first ?? '')).toMatchObject({ event: { type: 'audit.day', day: '2026-11-28', seq: 4 } });
});

it('is stored when enough wait or the oldest has waited long enough', async () => {
  const outbox = open();
  outbox.take(events(1));
  expect(outbox.dueAtMs).toBe(NOON_MS + 10_000);
  await outbox.work();
  expect(store.objects.size).toBe(0);
  outbox.take(events(2, { from: 2 }));
  await outbox.work();
  expect(keysOf()).toEqual(numbered(3));
  expect(outbox.dueAtMs).toBeNull();
});

it('stops at any step and goes on: nothing lost, nothing twice, in order', async () => {
  for (let step = 1; step <= 8; step++) {
    store = new MemoryStore();
    sql = SqliteFile.open('memory:');
    let left = step;
    store.fails = () => --left === 0;
    for (let from = 1; from <= 9; from += 2) {
      open().take(events(2, { from }));
      await open()
        .flush()
        .catch(() => undefined);
    }
    await open().flush();
    expect(keysOf(), `stopped at step ${step}`).toEqual(numbered(10));
    expect((await verify()).faults).toEqual([]);
  }
});

it('keeps what waits while the store is away, says so, tries again ever more seldom, and takes no more than it can hold', async () => {
  const outbox = open(sql, { most: 5 });
  let isAway = true;
  store.fails = () => isAway;
  outbox.take(events(4));
  await outbox.work();
  expect(headOf(outbox)).toMatchObject({ seq: 0, pending: 4, fault: expect.stringContaining('away') });
  expect(outbox.dueAtMs).toBe(NOON_MS + 5_000);
  nowMs += 5_000;
  await outbox.work();
  expect(outbox.dueAtMs).toBe(nowMs + 10_000);
  expect(outbox.take(events(2, { from: 5 })).taken).toBe(6);
  // Full: what comes stays where it was told.
  expect(outbox.take(events(1, { from: 7 }))).toMatchObject({ taken: 6, audit: { pending: 6 } });
  isAway = false;
  nowMs += 10_000;
  await outbox.work();
  expect(headOf(outbox)).toMatchObject({ seq: 6, pending: 0, fault: null });
  expect(outbox.take(events(1, { from: 7 })).taken).toBe(7);
});

it('one altered byte, a record less, two exchanged, a cut tail: found, and which record it is', async () => {
  const outbox = open();
  for (let from = 1; from <= 24; from += 3) {
    outbox.take(events(3, { from }));
    await outbox.flush();
    nowMs += DAY_MS / 4;
  }
  const { hash: head, publicKey } = headOf(outbox);
  const whole = new Map(store.objects);
  expect((await verify({ head })).faults).toEqual([]);
  const faultsAfter = async (alter: () => void): Promise<AuditVerdict['faults']> => {
    store.objects.clear();
    for (const [key, text] of whole) store.objects.set(key, text);
    alter();
    return (await verify({ head, publicKey: publicKey ?? '' })).faults;
  };
  // Bytes all over one object, in turn.
  const [key = '', text = ''] = [...whole][3] ?? [];
  for (let at = 0; at < text.length; at += 29) {
    const other = text[at] === 'x' ? 'y' : 'x';
    const line = text.slice(0, at).split('\n').length;
    const faults = await faultsAfter(() => store.objects.set(key, text.slice(0, at) + other + text.slice(at + 1)));
    expect(faults[0], `byte ${at}`).toMatchObject({ key });
    expect(Math.abs((faults[0]?.line ?? 0) - line), `byte ${at}`).toBeLessThanOrEqual(1);
  }
  expect(await faultsAfter(() => store.objects.delete(key))).toMatchObject([
    { fault: expect.stringMatching(/records \d+ to \d+ are missing/) },
  ]);
  const lines = text.split('\n');
  const less = await faultsAfter(() => store.objects.set(key, [lines[0], ...lines.slice(2)].join('\n')));
  expect(less[0]).toMatchObject({ key, line: 2, fault: expect.stringContaining('missing before it') });
  const swapped = await faultsAfter(() => store.objects.set(key, [lines[1], lines[0], ...lines.slice(2)].join('\n')));
  expect(swapped.map(({ fault }) => fault).join()).toContain('order was changed');
  const last = [...whole.keys()].at(-1) ?? '';
  expect(await faultsAfter(() => store.objects.delete(last))).toMatchObject([
    { fault: expect.stringContaining('was cut off') },
  ]);
});

it('one altered byte in 1,000 objects, and a tail that is cut, are found and named', async () => {
  const outbox = open(sql, { objectEvents: 1 });
  outbox.take(events(1_000));
  await outbox.flush();
  const { hash: head } = headOf(outbox);
  expect(store.objects.size).toBe(1_000);
  const key = 'main/2026/11/28/000000000000617.ndjson';
  const text = store.objects.get(key) ?? '';
  store.objects.set(key, text.replace('"caller":"desk"', '"caller":"dusk"'));
  expect((await verify({ head })).faults).toMatchObject([{ key, line: 1, seq: 617 }]);
  store.objects.set(key, text);
  store.objects.delete('main/2026/11/28/000000000001000.ndjson');
  expect((await verify({ head })).faults).toMatchObject([{ fault: expect.stringContaining('was cut off') }]);
});

it('a day that was written anew by who has the store alone is not signed with the key', async () => {
  const outbox = open();
  outbox.take(events(1));
  await outbox.flush();
  nowMs += DAY_MS;
  outbox.take(events(1, { from: 2 }));
  await outbox.flush();
  const { publicKey } = headOf(outbox);
  const forged = new MemoryStore();
  const forger = new Outbox({
    sql: SqliteFile.open('memory:'),
    broker: 'main',
    now: () => nowMs,
    random: () => 0.5,
    webhooks: NO_WEBHOOKS,
    warn: () => {},
    audit: { store: forged },
  });
  forger.take(events(1, { atMs: NOON_MS }));
  forger.take(events(1, { from: 2 }));
  await forger.flush();
  store = forged;
  expect((await verify()).faults).toEqual([]);
  expect((await verify({ publicKey: publicKey ?? '' })).faults[0]).toMatchObject({
    fault: 'the day is signed with another key',
  });
});

it('a memory that was restored, or begun anew, goes on after what is stored and overwrites nothing', async () => {
  const outbox = open();
  outbox.take(events(5));
  await outbox.flush();
  const before = new Map(store.objects);
  nowMs += DAY_MS;
  const fresh = open(SqliteFile.open('memory:'));
  fresh.take(events(2, { source: 'b', from: 6 }));
  await fresh.flush();
  for (const [key, text] of before) expect(store.objects.get(key)).toBe(text);
  expect(keysOf()).toEqual(numbered(7));
  expect(headOf(fresh)).toMatchObject({ day: '2026-11-29' });
  expect(warnings.join()).toContain('records up to 5');
  expect((await verify()).faults).toEqual([]);
});

it('personal data is erased and the chain holds', async () => {
  const outbox = open();
  outbox.take(events(4));
  await outbox.flush();
  const { hash: head } = headOf(outbox);
  for (const [key, text] of store.objects) {
    const erased = eraseEvents(text, ({ login }) => login === 1002);
    store.objects.set(key, erased.text);
  }
  expect([...store.objects.values()].join('')).not.toContain('1002');
  expect(await verify({ head })).toMatchObject({ faults: [], erased: [2, 4] });
});

it('what was removed in order, by its age, is named by the day that is left', async () => {
  const outbox = open();
  for (const from of [1, 2]) {
    outbox.take(events(1, { from }));
    await outbox.flush();
    nowMs += DAY_MS;
  }
  store.objects.delete('main/2026/11/28/000000000000001.ndjson');
  expect((await verify()).faults[0]).toMatchObject({ fault: expect.stringContaining('those before it are missing') });
  expect((await verify({ since: '2026-11-29' })).faults).toEqual([]);
});

it('is read by time, type, login and caller, page by page', async () => {
  const outbox = open();
  for (let from = 1; from <= 12; from += 4) {
    outbox.take(events(4, { from }));
    await outbox.flush();
    nowMs += DAY_MS;
  }
  const read = async (query: Partial<Parameters<typeof readAudit>[2]>): Promise<unknown[]> => {
    const found: unknown[] = [];
    let cursor: string | undefined;
    do {
      const page = await readAudit(store, 'main', { limit: 2, ...query, cursor });
      expect(page.items.length).toBeLessThanOrEqual(2);
      found.push(...page.items.map(({ event }) => (event?.['data'] as { key?: unknown } | undefined)?.key));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return found.filter((key) => key !== undefined);
  };
  expect(await read({})).toEqual(numbered(12));
  expect(await read({ type: 'key.*' })).toEqual(['k2', 'k4', 'k6', 'k8', 'k10', 'k12']);
  expect(await read({ login: 1001, fromMs: NOON_MS + DAY_MS })).toEqual(['k5', 'k7', 'k9', 'k11']);
  expect(await read({ toMs: NOON_MS })).toEqual(numbered(4));
  expect(await read({ caller: 'nobody' })).toEqual([]);
});
