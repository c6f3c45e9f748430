import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { SessionPool } from '../../../container/session/pool.ts';
import type { SignInGate, SignInPermit } from '../../../container/session/sign-in-gate.ts';
import type { UpstreamStatus } from '../../../container/session/status.ts';
import { fakePool, within } from '../../support/fake-pool.ts';
import { FakeTransport, type Answering } from '../../support/fake-transport.ts';

/** The pool with the clock held still: what happens after seconds and minutes. */
let permits: SignInPermit[] = [];
let asked = 0;
let gatePermit: Promise<SignInPermit> | undefined;
let statuses: UpstreamStatus[] = [];
const gate: SignInGate = {
  permit: () => {
    asked++;
    return gatePermit ?? Promise.resolve(permits.shift() ?? { granted: true, permitId: `p${asked}` });
  },
  succeeded: () => Promise.resolve({ epoch: 7 }),
  failed: () => Promise.resolve({ retryAtMs: Date.now() + 5_000 }),
};

const poolOver = (transport: FakeTransport, max = 4, hosts = ['fake']): SessionPool =>
  fakePool(transport, {
    max,
    gate,
    addresses: hosts.map((host) => ({ host, port: 443 })),
    onStatus: (status) => statuses.push(status),
  });

const command = { path: 'user/get' };
const failure = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);
const afterMs =
  (ms: number): Answering =>
  () =>
    new Promise((resolve) => setTimeout(() => resolve('{"retcode":"0 Done"}'), ms));

beforeEach(() => {
  vi.useFakeTimers();
  permits = [];
  gatePermit = undefined;
  asked = 0;
  statuses = [];
});
afterEach(() => {
  vi.useRealTimers();
});

test('states pass in order, and the epoch is told', async () => {
  const pool = poolOver(new FakeTransport());
  await pool.warm();
  expect(statuses.map(({ state }) => state)).toEqual(['connecting', 'challenged', 'ready']);
  expect(pool.status).toMatchObject({ state: 'ready', epoch: 7, connections: 1 });
});

test('a silent session is pinged every 20 seconds', async () => {
  const transport = new FakeTransport();
  const pool = poolOver(transport);
  await pool.warm();
  await vi.advanceTimersByTimeAsync(61_000);
  expect(transport.count('test/access')).toBe(3);
  await pool.drain(100);
});

test('requests are pings too: no other is sent while they come', async () => {
  const transport = new FakeTransport();
  const pool = poolOver(transport);
  for (let i = 0; i < 10; i++) {
    await pool.read(command, within(1_000));
    await vi.advanceTimersByTimeAsync(15_000);
  }
  expect(transport.count('test/access')).toBe(0);
});

test('a refused permit answers everybody at once, and the bridge asks again by itself when it may', async () => {
  const transport = new FakeTransport();
  const pool = poolOver(transport);
  permits = [{ granted: false, retryAtMs: Date.now() + 30_000, reason: 'Too many sign-ins.', retcode: null }];
  const all = await Promise.all(Array.from({ length: 50 }, () => failure(pool.read(command, within(20_000)))));
  for (const error of all) expect(error).toMatchObject({ kind: 'backoff', retryAfterMs: 30_000 });
  expect(asked).toBe(1);
  expect(pool.status).toMatchObject({ state: 'backoff', reason: 'Too many sign-ins.' });
  await vi.advanceTimersByTimeAsync(30_001);
  expect(pool.status.state).toBe('ready');
  expect(asked).toBe(2);
});

test('while a refusal is remembered nobody asks the state again, but for a second only', async () => {
  const pool = poolOver(new FakeTransport());
  const denied: SignInPermit = { granted: false, retryAtMs: Date.now() + 60_000, reason: 'No.', retcode: 1001 };
  permits = [denied, denied];
  expect(await failure(pool.read(command, within(1_000)))).toMatchObject({ kind: 'refused', retcode: 1001 });
  for (let i = 0; i < 20; i++) await failure(pool.read(command, within(1_000)));
  expect(asked).toBe(1);
  // An administrator may have reset the back-off meanwhile.
  await vi.advanceTimersByTimeAsync(1_001);
  await failure(pool.read(command, within(1_000)));
  expect(asked).toBe(2);
});

test('the pool shrinks to one when the others have been free for a minute, with a goodbye', async () => {
  const transport = new FakeTransport(afterMs(20));
  const pool = poolOver(transport, 2);
  const reads = Array.from({ length: 100 }, () => pool.read(command, within(60_000)));
  await vi.advanceTimersByTimeAsync(3_000);
  await Promise.all(reads);
  expect(transport.connections).toBe(2);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(transport.connections).toBe(1);
  expect(transport.count('quit')).toBe(1);
  expect(pool.status).toMatchObject({ state: 'ready', connections: 1 });
});

test('a failed growth leaves the pool as it is, and is not tried again before its time', async () => {
  const pool = poolOver(new FakeTransport(afterMs(20)), 2);
  await pool.warm();
  permits = [{ granted: false, retryAtMs: Date.now() + 60_000, reason: 'Enough.', retcode: null }];
  const reads = Array.from({ length: 200 }, () => pool.read(command, within(60_000)));
  await vi.advanceTimersByTimeAsync(10_000);
  await Promise.all(reads);
  expect(asked).toBe(2);
  expect(pool.status).toMatchObject({ state: 'ready', reason: null, connections: 1 });
});

test('more waiters than can be served are refused', async () => {
  const pool = poolOver(new FakeTransport(() => new Promise<string>(() => undefined)), 1);
  await pool.warm();
  const waiting = Array.from({ length: 5_001 }, () => failure(pool.read(command, within(1_000))));
  expect(await failure(pool.read(command, within(1_000)))).toMatchObject({ kind: 'overloaded', dispatched: false });
  await vi.advanceTimersByTimeAsync(1_001);
  const errors = await Promise.all(waiting);
  expect(errors.filter((error) => (error as { dispatched: boolean }).dispatched)).toHaveLength(1);
});

test('a mutation that still waits when its connection is lost is sent on the next one, once', async () => {
  let first: ((text: string) => void) | undefined;
  const transport = new FakeTransport((_path, connection) =>
    connection === 1 ? new Promise<string>((resolve) => (first = resolve)) : '{"retcode":"0 Done"}',
  );
  const pool = poolOver(transport, 1);
  const onTheWay = failure(pool.mutate({ path: 'trade/balance' }, within(5_000)));
  const queued = pool.mutate({ path: 'user/update' }, within(5_000));
  await vi.advanceTimersByTimeAsync(10);
  expect(first).toBeDefined();
  transport.drop(1);
  expect(await onTheWay).toMatchObject({ kind: 'lost', dispatched: true });
  expect((await queued).retcode).toBe(0);
  expect(transport.sent.filter(({ path }) => !path.startsWith('auth/'))).toEqual([
    { path: 'trade/balance', connection: 1 },
    { path: 'user/update', connection: 2 },
  ]);
});

test('an answer that comes after its caller left is drained, and the next request waits for it', async () => {
  let late: ((text: string) => void) | undefined;
  const transport = new FakeTransport((path) =>
    path === 'slow' ? new Promise<string>((resolve) => (late = resolve)) : '{"retcode":"0 Done"}',
  );
  const pool = poolOver(transport, 1);
  const abort = new AbortController();
  const left = failure(pool.read({ path: 'slow' }, { ...within(5_000), signal: abort.signal }));
  const next = pool.read(command, within(5_000));
  await vi.advanceTimersByTimeAsync(10);
  abort.abort();
  expect(await left).toMatchObject({ kind: 'cancelled', dispatched: true });
  expect(transport.count('user/get')).toBe(0);
  late?.('{"retcode":"0 Done"}');
  expect((await next).retcode).toBe(0);
  expect(transport.connections).toBe(1);
});

test('a server that ends every session before it answers is not signed in to with every request', async () => {
  const transport: FakeTransport = new FakeTransport((_path, connection) => {
    transport.drop(connection);
    return new Promise<string>(() => undefined);
  });
  const pool = poolOver(transport);
  const kinds = new Set<unknown>();
  for (let i = 0; i < 60; i++) {
    const reading = failure(pool.read(command, within(500)));
    await vi.advanceTimersByTimeAsync(1_000);
    kinds.add(((await reading) as { kind?: unknown }).kind);
  }
  expect(asked).toBeLessThan(12);
  expect(kinds).toContain('backoff');
});

test('of several addresses the one that worked last is tried first, then the others', async () => {
  const transport = new FakeTransport();
  const pool = poolOver(transport, 1, ['a', 'b', 'c']);
  transport.down.add('a');
  await pool.warm();
  expect(transport.tried).toEqual(['a', 'b']);
  transport.down.clear();
  transport.drop(1);
  await pool.read(command, within(1_000));
  expect(transport.tried.slice(2)).toEqual(['b']);
  transport.down.add('b');
  transport.drop(2);
  await pool.read(command, within(1_000));
  expect(transport.tried.slice(3)).toEqual(['b', 'a']);
});

test('when no address answers, all are named', async () => {
  const transport = new FakeTransport();
  const pool = poolOver(transport, 1, ['a', 'b']);
  for (const host of ['a', 'b']) transport.down.add(host);
  const error = await failure(pool.read(command, within(1_000)));
  expect(error).toMatchObject({ kind: 'unreachable', retryAfterMs: 5_000 });
  expect((error as Error).message).toBe('The broker cannot be reached: a is down; b is down.');
  expect(pool.status.state).toBe('unreachable');
});

test('closing leaves no timer behind', async () => {
  const pool = poolOver(new FakeTransport());
  await pool.read(command, within(5_000));
  await pool.drain(100);
  await pool.drain(100);
  expect(vi.getTimerCount()).toBe(0);
  expect(await failure(pool.read(command, within(5_000)))).toMatchObject({ kind: 'draining', dispatched: false });
});

test('the connection opens while the permit is asked for, and nothing is said on it before', async () => {
  const transport = new FakeTransport();
  const pool = poolOver(transport);
  const answer = Promise.withResolvers<SignInPermit>();
  gatePermit = answer.promise;
  const warm = pool.warm();
  await vi.advanceTimersByTimeAsync(10);
  expect(transport.connections).toBe(1);
  expect(transport.sent).toEqual([]);
  answer.resolve({ granted: true, permitId: 'p' });
  await warm;
  expect(transport.tried).toEqual(['fake']);
});

test('a bridge that has to wait does not connect before it has a permit', async () => {
  const transport = new FakeTransport();
  const pool = poolOver(transport);
  const denied: SignInPermit = { granted: false, retryAtMs: Date.now() + 5_000, reason: 'No.', retcode: null };
  permits = [denied, denied];
  await failure(pool.read(command, within(1_000)));
  expect(transport.connections).toBe(0);
  const tried = transport.tried.length;
  await vi.advanceTimersByTimeAsync(2_000);
  await failure(pool.read(command, within(1_000)));
  expect(asked).toBe(2);
  expect(transport.tried).toHaveLength(tried);
});
