import { expect, it } from 'vitest';
import { BridgeError } from '../../../container/contract/errors.ts';
import type { BridgeEvent } from '../../../container/contract/events.ts';
import { SqliteFile } from '../../../container/host/sqlite-file.ts';
import { AuditVerifier } from '../../../container/outbox/audit/verify.ts';
import { Outbox } from '../../../container/outbox/outbox.ts';
import { Pump } from '../../../container/outbox/pump.ts';
import { askedOf } from '../../../container/service/writes/asked.ts';
import { BridgeState, type BridgeStateOptions } from '../../../container/state/bridge-state.ts';
import type { Sql, SqlRow, SqlValue } from '../../../container/state/sql.ts';
import type { BeginRequest } from '../../../container/state/state-api.ts';

const NO_WEBHOOKS = { sender: { send: async () => ({ status: 204 }) }, allowedOrigins: [] };

const NOW_MS = Date.parse('2026-11-28T10:00:30Z');

/** Steps until the program is killed, and whether it was. */
interface Fuse {
  left: number;
  isDead: boolean;
}

/** A memory whose program is killed at a step: what its transaction did is undone, and nothing is done after, as by a kill -9. */
class Killable implements Sql {
  readonly file = SqliteFile.open('memory:');
  readonly #fuse: Fuse;

  constructor(fuse: Fuse) {
    this.#fuse = fuse;
  }

  run(statement: string, ...parameters: SqlValue[]): SqlRow[] {
    this.#step();
    return this.file.run(statement, ...parameters);
  }

  transaction<T>(body: () => T): T {
    const result = this.file.transaction(body);
    // After the commit, before anybody hears of it.
    this.#step();
    return result;
  }

  #step(): void {
    const fuse = this.#fuse;
    if (--fuse.left === 0) fuse.isDead = true;
    if (fuse.isDead) throw new BridgeError('state_unavailable', 'killed');
  }
}

const logOf = (sql: Sql): BridgeEvent[] =>
  sql.run('SELECT event FROM event_log ORDER BY seq').map(({ event }) => JSON.parse(String(event)) as BridgeEvent);
const waitingIn = (state: BridgeState): BridgeEvent[] =>
  state.outbox.waiting(1000, 1e9).events.map(({ text }) => JSON.parse(text) as BridgeEvent);

const begin = (state: BridgeState, key: string, changes: Partial<BeginRequest> = {}) =>
  state.operations.begin({
    caller: 'desk',
    key,
    kind: 'order.place',
    tag: `tag-${key}`,
    login: 1001,
    requestId: `request-${key}`,
    address: '192.0.2.7',
    asked: '{"route":"placeOrder","body":{"symbol":"EURUSD","password":"planted"}}',
    fingerprint: 'f',
    request: '{}',
    instanceId: 'a',
    deadlineAtMs: NOW_MS + 1e9,
    trading: true,
    budget: 'desk',
    ...changes,
  });

const open = (sql: Sql, options: BridgeStateOptions = {}): BridgeState =>
  new BridgeState(sql, { now: () => NOW_MS, broker: 'one', ...options });
const sink = (sql: Sql, now = (): number => NOW_MS): Outbox =>
  new Outbox({ sql, broker: 'one', now, random: () => 0.5, warn: () => {}, webhooks: NO_WEBHOOKS });

it('tells of an operation at each change of its state, with who asked, and nothing that opens anything', async () => {
  const state = open(SqliteFile.open('memory:'));
  await begin(state, '1');
  await state.operations.move('desk', '1', { to: 'done', answer: { status: 201, body: '{"order":"7","token":"x"}' } });
  await begin(state, '2');
  await state.operations.drop('desk', '2', 'tag-2');
  await begin(state, '3');
  await state.operations.orphan('b');
  await state.operations.move('desk', '3', { to: 'unknown', emptyLook: true });
  const events = waitingIn(state);
  expect(events.map(({ type, data }) => [type, data['key']])).toEqual([
    ['operation.sending', '1'],
    ['operation.done', '1'],
    ['operation.sending', '2'],
    ['operation.dropped', '2'],
    ['operation.sending', '3'],
    ['operation.unknown', '3'],
  ]);
  expect(events[0]).toMatchObject({
    time: '2026-11-28T10:00:30.000Z',
    timeMs: NOW_MS,
    broker: 'one',
    caller: 'desk',
    address: '192.0.2.7',
    requestId: 'request-1',
    login: 1001,
    data: { kind: 'order.place', tag: 'tag-1', asked: { route: 'placeOrder', body: { symbol: 'EURUSD' } } },
  });
  expect(events[1]?.data).toMatchObject({ status: 201, result: { order: '7' } });
  expect(JSON.stringify(events)).not.toMatch(/planted|"token"/);
});

it('tells of an account what it was and what it is', async () => {
  const state = open(SqliteFile.open('memory:'));
  const request = JSON.stringify({ effect: 'user_changed', before: { Group: 'demo' }, wanted: { Group: 'real' } });
  await begin(state, '1', { kind: 'account.group', request });
  await state.operations.move('desk', '1', { to: 'done', answer: { status: 200, body: '{}' } });
  expect(waitingIn(state).at(-1)).toMatchObject({
    type: 'account.group_changed',
    login: 1001,
    data: { before: { Group: 'demo' }, after: { Group: 'real' } },
  });
});

it('what was asked leaves without passwords, whichever way it came', () => {
  const body = '{"Login":"1001","PassMain":"planted-1","passwordInvestor":"planted-2","LastPassChange":"5"}';
  const common = { routeId: 'r', params: { login: 1001 }, query: {} };
  for (const asked of [
    askedOf({ ...common, bodyText: body }),
    askedOf({ ...common, bodyText: Buffer.from(body).toString('base64'), raw: true }),
  ]) {
    expect(asked).not.toContain('planted');
    expect(JSON.parse(asked)).toMatchObject({ route: 'r', body: { Login: '1001', LastPassChange: '5' } });
  }
});

it('tells of keys, sessions and halts who did it and what was before', async () => {
  const state = open(SqliteFile.open('memory:'));
  const by = { caller: 'admin', requestId: 'r1', address: '192.0.2.1' };
  await state.keys.create({ id: 'web', hash: `sha256:${'e'.repeat(64)}`, scopes: ['read'] }, by);
  await state.keys.change('web', { scopes: ['trade'] }, by);
  await state.sessions.open({
    tokenHash: `sha256:${'b'.repeat(64)}`,
    login: 1001,
    scopes: ['read'],
    openedBy: 'web',
    passwordChangedAt: '5',
  });
  await state.operations.halt({ kind: 'login', value: '1001' }, 'fraud', by);
  await state.keys.revoke('web', by);
  const events = waitingIn(state);
  expect(events.map(({ type, caller }) => [type, caller])).toEqual([
    ['key.created', 'admin'],
    ['key.changed', 'admin'],
    ['session.opened', 'web'],
    ['admin.trading_halted', 'admin'],
    ['key.revoked', 'admin'],
    ['session.ended', 'bridge'],
  ]);
  expect(events[1]?.data).toEqual({
    id: 'web',
    before: { id: 'web', scopes: ['read'] },
    after: { id: 'web', scopes: ['trade'] },
  });
  expect(JSON.stringify(events)).not.toContain('sha256');
});

/** Some operations, their events handed over in between; whoever is killed begins again. */
async function life(memory: Killable, kept: Killable, fuse: Fuse): Promise<void> {
  const again = async <T>(body: () => Promise<T> | T): Promise<T> => {
    for (;;)
      try {
        return await body();
      } catch (error) {
        if (!fuse.isDead) throw error;
        fuse.isDead = false;
      }
  };
  const handOver = (): Promise<void> =>
    again(() => {
      const { outbox } = open(memory);
      const batch = outbox.waiting(3, 1e9);
      if (batch.events.length > 0) outbox.taken(sink(kept).take(batch).taken);
    });
  for (const key of ['1', '2']) {
    await again(() => begin(open(memory), key));
    await handOver();
    await again(() => open(memory).operations.move('desk', key, { to: 'done', answer: { status: 201, body: '{}' } }));
  }
  await handOver();
  await handOver();
}

it('killed at every statement and after every commit: each event arrives once, in order', async () => {
  const fuse: Fuse = { left: Infinity, isDead: false };
  const told = (kept: Killable): unknown =>
    logOf(kept.file)
      .filter(({ type }) => type.startsWith('operation.'))
      .map(({ type, data }) => `${type} ${String(data['key'])}`);
  const [whole, wholeKept] = [new Killable(fuse), new Killable(fuse)];
  await life(whole, wholeKept, fuse);
  const expected = ['1', '2'].flatMap((key) => [`operation.sending ${key}`, `operation.done ${key}`]);
  expect(told(wholeKept)).toEqual(expected);
  for (let step = 1, isOver = false; !isOver; step++) {
    fuse.left = step;
    const [memory, kept] = [new Killable(fuse), new Killable(fuse)];
    await life(memory, kept, fuse);
    isOver = fuse.left > 0;
    expect(told(kept), `killed at step ${step}`).toEqual(expected);
    expect(new Set(logOf(kept.file).map(({ id }) => id)).size).toBe(logOf(kept.file).length);
  }
});

it('killed at every step of storing and delivering: in the audit once, at the receiver in order, twice only with the same id', async () => {
  const fuse: Fuse = { left: Infinity, isDead: false };
  const step = (): void => {
    if (--fuse.left === 0) fuse.isDead = true;
    if (fuse.isDead) throw new BridgeError('state_unavailable', 'killed');
  };
  const run = async (): Promise<{ objects: Map<string, string>; received: BridgeEvent[]; log: BridgeEvent[] }> => {
    const kept = new Killable(fuse);
    const objects = new Map<string, string>();
    const received: BridgeEvent[] = [];
    const open = (): Outbox =>
      new Outbox({
        sql: kept,
        broker: 'main',
        now: () => NOW_MS,
        random: () => 0.5,
        warn: () => {},
        audit: {
          policy: { objectEvents: 2, flushMs: 0 },
          store: {
            create: async (key, text) => {
              step();
              const isNew = !objects.has(key);
              if (isNew) objects.set(key, text);
              step();
              return isNew ? 'created' : 'exists';
            },
            read: async (key) => objects.get(key) ?? null,
            list: async (_, after) => [...objects.keys()].filter((key) => key > after).sort(),
          },
        },
        webhooks: {
          allowedOrigins: [],
          sender: {
            send: async ({ body }) => {
              step();
              received.push(JSON.parse(body) as BridgeEvent);
              step();
              return { status: 200 };
            },
          },
        },
      });
    const setUp = open();
    setUp.webhooks.create({ url: 'https://hooks.broker.com/', events: ['operation.*'] }, { caller: 'admin' }, []);
    const state = new BridgeState(SqliteFile.open('memory:'), { now: () => NOW_MS, broker: 'main' });
    for (const [i, key] of ['1', '2', '3'].entries()) {
      await begin(state, key, { login: 1001 + (i % 2) });
      await state.operations.move('desk', key, { to: 'done', answer: { status: 201, body: '{}' } });
    }
    setUp.take(state.outbox.waiting(100, 1e9));
    fuse.left = fuseAt;
    for (let isDone = false; !isDone; fuse.isDead = false)
      try {
        const outbox = open();
        // What a store throws is its fault and tried again later: here at once, by the next program.
        await outbox.work();
        isDone = !fuse.isDead && outbox.backlog?.pending === 0 && outbox.deliveries.dueAtMs === null;
      } catch (error) {
        if (!fuse.isDead) throw error;
      }
    return { objects, received, log: logOf(kept.file) };
  };
  let fuseAt = Infinity;
  for (let isOver = false; !isOver; fuseAt = fuseAt === Infinity ? 1 : fuseAt + 1) {
    const { objects, received, log } = await run();
    isOver = fuseAt !== Infinity && fuse.left > 0;
    const verifier = new AuditVerifier({});
    for (const [key, text] of [...objects].sort(([a], [b]) => (a < b ? -1 : 1))) await verifier.add(key, text);
    expect(verifier.end(), `killed at step ${fuseAt}`).toMatchObject({ faults: [], records: log.length });
    const told = log.filter(({ type }) => type.startsWith('operation.'));
    for (const login of [1001, 1002]) {
      const ids = (events: readonly BridgeEvent[]): string[] => [
        ...new Set(events.filter((event) => event.login === login).map(({ id }) => id)),
      ];
      expect(ids(received), `killed at step ${fuseAt}`).toEqual(ids(told));
    }
  }
  expect(fuseAt).toBeGreaterThan(20);
});

it('takes a batch again as if it were new, and another memory from its beginning', async () => {
  const kept = SqliteFile.open('memory:');
  const outbox = sink(kept);
  const first = open(SqliteFile.open('memory:'));
  await begin(first, '1');
  const batch = first.outbox.waiting(10, 1e9);
  expect(outbox.take(batch).taken).toBe(1);
  expect(outbox.take(batch).taken).toBe(1);
  const second = open(SqliteFile.open('memory:'));
  await begin(second, 'of another memory');
  outbox.take(second.outbox.waiting(10, 1e9));
  expect(logOf(kept).map(({ data }) => data['key'])).toEqual(['1', 'of another memory']);
});

it('hands over until nothing waits, whatever fails on the way', async () => {
  const state = open(SqliteFile.open('memory:'));
  const kept = SqliteFile.open('memory:');
  const outbox = sink(kept);
  let failures = 3;
  const faults: unknown[] = [];
  const pump = new Pump({
    outbox: state.outbox,
    take: async (batch) => {
      if (failures-- > 0) throw new Error('away');
      return outbox.take(batch);
    },
    pause: async () => {},
    onFault: (error) => faults.push(error),
  });
  state.outbox.onTold = () => void pump.run();
  for (let i = 0; i < 520; i++) await begin(state, String(i));
  await pump.run();
  expect(state.outbox.count).toBe(0);
  expect(logOf(kept).map(({ data }) => Number(data['key']))).toEqual(Array.from({ length: 520 }, (_, i) => i));
  expect(faults).toHaveLength(1);
});

it('with too much waiting it begins no write, or gives up the oldest events and says how many', async () => {
  const refusing = open(SqliteFile.open('memory:'), { outbox: { whenFull: 'refuse', most: 2 } });
  await begin(refusing, '1');
  await begin(refusing, '2');
  await expect(begin(refusing, '3')).rejects.toMatchObject({ code: 'outbox_full', status: 503 });
  // What was begun ends as ever, and is told.
  expect(await refusing.operations.move('desk', '1', { to: 'done' })).toBe(true);
  expect(refusing.outbox.count).toBe(3);
  refusing.outbox.taken(2);
  expect((await begin(refusing, '3')).kind).toBe('started');

  const dropping = open(SqliteFile.open('memory:'), { outbox: { whenFull: 'drop', most: 2 } });
  for (const key of ['1', '2', '3', '4']) await begin(dropping, key);
  expect(waitingIn(dropping).map(({ data }) => data['key'])).toEqual(['3', '4']);
  dropping.outbox.taken(3);
  expect(waitingIn(dropping).map(({ type, data }) => [type, data['key'] ?? data['count']])).toEqual([
    ['operation.sending', '4'],
    ['container.events_dropped', 2],
  ]);
});

it('tells of gaps in streams', () => {
  const kept = SqliteFile.open('memory:');
  sink(kept).gaps([{ topic: 'deals', reason: 'slow', subscriptions: 3 }]);
  expect(logOf(kept)).toMatchObject([
    { type: 'stream.gap', caller: 'bridge', data: { topic: 'deals', reason: 'slow', subscriptions: 3 } },
  ]);
});

it('tells refused keys by the minute', async () => {
  const kept = SqliteFile.open('memory:');
  const clock = { nowMs: NOW_MS };
  const outbox = sink(kept, () => clock.nowMs);
  outbox.refused(3);
  outbox.refused(2);
  const dueAtMs = await outbox.work();
  expect(dueAtMs).toBe(Date.parse('2026-11-28T10:01:00Z'));
  expect(logOf(kept)).toEqual([]);
  clock.nowMs = dueAtMs ?? 0;
  expect(await outbox.work()).toBeNull();
  expect(logOf(kept)).toMatchObject([
    { type: 'key.refused', caller: 'bridge', data: { count: 5, since: '2026-11-28T10:00:00.000Z' } },
  ]);
});

it('the last events are told the newest first, whether or not an audit is kept', async () => {
  const state = open(SqliteFile.open('memory:'));
  for (const key of ['1', '2', '3']) await begin(state, key);
  const outbox = sink(SqliteFile.open('memory:'));
  outbox.take(state.outbox.waiting(1000, 1e9));
  expect(outbox.lastEvents(2).map(({ data }) => data['key'])).toEqual(['3', '2']);
});
