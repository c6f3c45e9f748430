import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LEASE_MS, LOOK_MS } from '../../container/cluster/lease.ts';
import type { ClusterStatus } from '../../container/contract/cluster.ts';
import { type BridgeProcess, spawnBridge } from '../support/bridge-process.ts';
import { keyRecord } from '../support/bridge.ts';
import { samplesOf } from '../support/prometheus-text.ts';
import { hasRedis, NO_REDIS, RedisServer } from '../support/redis.ts';
import { StreamClient } from '../support/stream-client.ts';
import { TradingClient } from '../support/trading.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';

const KEY = 'mt5k_replicas-tests-only';
const NARROW = 'mt5k_replicas-one-login';
const PATIENT = { timeout: 20_000, interval: 50 };

/** Two processes, one volume, one Redis, one broker. */
describe.skipIf(!hasRedis)(hasRedis ? 'several replicas' : NO_REDIS, () => {
  let redis: RedisServer;
  let simulator: Simulator;
  let folder: string;
  let replicas: Replica[] = [];

  interface Replica {
    readonly url: string;
    readonly process: BridgeProcess;
    fetch(path: string, init?: RequestInit): Promise<Response>;
    status(): Promise<ClusterStatus>;
    trading: TradingClient;
  }

  async function start(env: Record<string, string> = {}): Promise<Replica> {
    const process = spawnBridge({
      MT5_SERVER: `${simulator.host}:${simulator.port}`,
      MT5_LOGIN: '1000',
      MT5_PASSWORD: 'Password1',
      MT5_TLS: `pin:${simulator.certificateSha256}`,
      BRIDGE_API_KEYS: JSON.stringify([
        await keyRecord('desk', KEY, ['admin']),
        await keyRecord('narrow', NARROW, ['read'], '1001'),
      ]),
      CHECKPOINT: `file:${path.join(folder, 'state.sqlite')}`,
      CLUSTER: redis.url,
      POOL_MAX: '1',
      PORT: '0',
      ...env,
    });
    const url = `http://127.0.0.1:${await process.listening}`;
    const replica: Replica = {
      url,
      process,
      fetch: (at, init = {}) =>
        fetch(url + at, { ...init, headers: { 'x-api-key': KEY, ...(init.headers as object) } }),
      status: async () => ((await (await replica.fetch('/v1/status')).json()) as { cluster: ClusterStatus }).cluster,
      trading: new TradingClient({ fetch: (at, init) => replica.fetch(at, init) }),
    };
    replicas.push(replica);
    return replica;
  }

  /** The first holds, the second follows. */
  async function startTwo(env: Record<string, string> = {}): Promise<[Replica, Replica]> {
    const first = await start(env);
    await expect.poll(async () => (await first.status()).role, PATIENT).toBe('holder');
    return [first, await start(env)];
  }

  const isOver = async ({ process }: Replica): Promise<void> => {
    process.child.kill('SIGKILL');
    await process.exited;
  };
  const dealsOf = (client: StreamClient): string[] =>
    client.of('delta', 'deals').flatMap(({ data }) => (data as { ticket: string }[]).map(({ ticket }) => ticket));

  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis.end());
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mt5-replicas-'));
    simulator = await startSimulator({ ticksPerSecond: 20 });
  });
  afterEach(async () => {
    await Promise.all(replicas.map(isOver));
    replicas = [];
    await simulator.close();
    await redis.end();
    await redis.begin();
    await rm(folder, { recursive: true });
  });

  test('either answers everything, with one sign-in; the status and the metrics of each tell its part', async () => {
    const [holder, follower] = await startTwo();
    const [a, b] = await Promise.all([holder.status(), follower.status()]);
    expect(a).toMatchObject({ role: 'holder', holder: { replica: a.replica, url: holder.url }, fault: null });
    expect(b).toMatchObject({ role: 'follower', holder: a.holder });
    expect(b.replica).not.toBe(a.replica);
    expect(b.leaseAgeMs).toBeLessThan(LEASE_MS);

    const order = await follower.trading.order('order-1');
    expect(order.status).toBe(201);
    const repeated = await holder.trading.order('order-1');
    expect([repeated.status, repeated.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    for (const replica of [holder, follower]) {
      const answer = await replica.fetch('/v1/accounts/1001/positions');
      expect(((await answer.json()) as { items: unknown[] }).items.length).toBeGreaterThan(0);
      expect((await replica.fetch('/api/user/get?login=1001')).status).toBe(200);
      expect((await replica.fetch('/brokers/main/v1/accounts/1001')).status).toBe(200);
      expect((await replica.fetch('/readyz')).status).toBe(200);
      expect((await replica.fetch('/v1/accounts/1001', { headers: { 'x-api-key': 'mt5k_nobody' } })).status).toBe(401);
      expect((await replica.fetch('/v1/accounts/1002', { headers: { 'x-api-key': NARROW } })).status).toBe(403);
      expect((await replica.fetch('/internal/caller')).status).toBe(404);
    }
    expect(simulator.stats().handshakes).toBe(1);
    const samples = samplesOf(await (await follower.fetch('/metrics')).text());
    const value = (name: string, label: string, is: string): number | undefined =>
      samples.find((sample) => sample.name === name && sample.labels[label] === is)?.value;
    expect(value('mt5_cluster_role', 'role', 'follower')).toBe(1);
    expect(value('mt5_cluster_forwards_total', 'result', 'answered')).toBeGreaterThan(5);
  });

  test('a follower answers reference data from memory, to who may see it, until a write through any replica', async () => {
    const [holder, follower] = await startTwo();
    const read = async (key = KEY): Promise<{ status: string | null; text: string }> => {
      const answer = await follower.fetch('/v1/symbols/EURUSD', { headers: { 'x-api-key': key } });
      return { status: answer.headers.get('cache-status'), text: await answer.text() };
    };
    const first = await read();
    await expect.poll(async () => (await read()).status, PATIENT).toMatch(/^replica; hit; ttl=\d+$/);
    const asked = simulator.stats().byCommand['symbol/get'];
    expect((await read()).text).toBe(first.text);
    expect(simulator.stats().byCommand['symbol/get']).toBe(asked);
    expect((await read('mt5k_nobody')).text).toContain('unauthenticated');
    const noCache = { headers: { 'cache-control': 'no-cache' } };
    expect((await follower.fetch('/v1/symbols/EURUSD', noCache)).headers.get('cache-status')).toBeNull();

    await expect.poll(async () => (await read()).status, PATIENT).toMatch(/^replica; hit/);
    const write = await holder.fetch('/api/symbol/delete?symbol=USDJPY', {
      method: 'POST',
      headers: { 'idempotency-key': 'delete-1' },
    });
    expect(write.status).toBe(200);
    await expect.poll(async () => (await read()).status).toBeNull();
  });

  test('the holder is killed: another goes on within five seconds, one sign-in, one ledger, the same streams', async () => {
    const [holder, follower] = await startTwo();
    const client = await StreamClient.open(`${follower.url}/v1/stream`, { key: KEY });
    client.send({ op: 'subscribe', id: 1, topic: 'ticks', symbols: ['EURUSD'] });
    client.send({ op: 'subscribe', id: 2, topic: 'deals', logins: [1001] });
    await expect.poll(() => client.of('delta', 'ticks').length, PATIENT).toBeGreaterThan(2);
    await client.first('snapshot', 'deals');
    const before = await holder.trading.order('before');
    const [ticket = ''] = (before.body['deals'] as { ticket: string }[]).map((deal) => deal.ticket);
    await expect.poll(() => dealsOf(client), PATIENT).toEqual([ticket]);
    const epoch = client.frames.at(-1)?.epoch ?? 0;

    // One write is at the broker, and its answer does not come.
    simulator.fault({ kind: 'hang', command: 'dealer/send_request' });
    const handedOver = follower.trading.order('handed-over');
    await expect.poll(() => simulator.stats().byCommand['dealer/send_request'], PATIENT).toBe(2);
    const killedAtMs = Date.now();
    await isOver(holder);
    const lost = await handedOver;
    expect(lost.body).toMatchObject({ code: 'outcome_unknown', outcome: 'unknown', retry: 'check' });

    // Whoever asks meanwhile waits for the next one.
    const [read, written] = await Promise.all([
      follower.fetch('/v1/accounts/1001'),
      follower.trading.order('after', { login: 1002 }),
    ]);
    expect(Date.now() - killedAtMs).toBeLessThan(5_000 + LOOK_MS);
    expect([read.status, written.status]).toEqual([200, 201]);
    expect(simulator.stats().handshakes).toBe(2);
    expect(await follower.status()).toMatchObject({ role: 'holder', holder: { token: 2 } });

    // The same ledger: what was done is done, what is unknown is said and never sent again.
    expect((await follower.trading.order('before')).headers.get('idempotency-replayed')).toBe('true');
    const operation = (await (await follower.fetch('/v1/operations/handed-over')).json()) as { state: string };
    expect(['unknown', 'done', 'not_executed']).toContain(operation.state);
    expect(simulator.stats().byCommand['dealer/send_request']).toBe(3);

    // The stream stayed open, and says what it went through.
    expect(client.closed).toBeUndefined();
    const events = (): unknown[] => client.of('system').map(({ data }) => (data as { event: string }).event);
    await expect.poll(events, PATIENT).toContain('session_replaced');
    const next = await follower.trading.order('next');
    const [later = ''] = (next.body['deals'] as { ticket: string }[]).map((deal) => deal.ticket);
    await expect.poll(() => dealsOf(client), PATIENT).toContain(later);
    expect(new Set(dealsOf(client)).size).toBe(dealsOf(client).length);
    expect(client.frames.at(-1)?.epoch).toBe(epoch + 1);
    client.expectUnbroken('ticks');
    client.close();
  });

  test('a holder that is asked to end hands over at once; one that hung writes nothing more and ends', async () => {
    const [first, second] = await startTwo();
    first.process.child.kill('SIGTERM');
    expect(await first.process.exited).toBe(0);
    await expect.poll(async () => (await second.status()).role, { timeout: LEASE_MS, interval: 20 }).toBe('holder');

    const third = await start();
    expect((await third.trading.order('one')).status).toBe(201);
    second.process.child.kill('SIGSTOP');
    // The question itself waits at the one that hangs, and is asked again of the next.
    await expect.poll(async () => (await third.status()).role, PATIENT).toBe('holder');
    expect((await third.trading.order('two')).status).toBe(201);
    // Asked in the moment in which it wakes.
    const late = second.trading.order('three').catch(() => undefined);
    second.process.child.kill('SIGCONT');
    const answer = await late;
    if (answer && answer.status !== 201) expect(answer.body).toMatchObject({ outcome: 'not_sent' });
    await second.process.exited;
    expect(second.process.log).toContainEqual(expect.objectContaining({ event: 'fenced' }));
    expect(simulator.stats().handshakes).toBe(3);
    const database = new DatabaseSync(path.join(folder, 'state.sqlite'));
    const sent = database.prepare('SELECT count(*) AS n FROM operations').get() as { n: number };
    database.close();
    expect(simulator.stats().byCommand['dealer/send_request']).toBe(sent.n);
  });

  test('where the volume is gone, the next begins halted and says why', async () => {
    const [first, second] = await startTwo();
    await isOver(second);
    const other = await start({ CHECKPOINT: `file:${path.join(folder, 'another.sqlite')}` });
    expect((await other.status()).role).toBe('follower');
    await isOver(first);
    const order = await other.trading.order('after');
    expect([order.status, order.body['code']]).toEqual([403, 'trading_halted']);
    expect((await other.fetch('/v1/accounts/1001')).status).toBe(200);
    expect(await (await other.fetch('/readyz')).text()).toContain('another ledger');
  });

  test('without Redis everything goes on, but that nothing is answered from memory', async () => {
    const [holder, follower] = await startTwo();
    expect((await follower.fetch('/v1/symbols/EURUSD')).status).toBe(200);
    await redis.end();
    await expect.poll(async () => (await holder.status()).leaseAgeMs, PATIENT).toBeGreaterThan(2 * LEASE_MS);
    const answer = await follower.fetch('/v1/symbols/EURUSD');
    expect([answer.status, answer.headers.get('cache-status')]).toEqual([200, null]);
    expect((await follower.trading.order('without-redis')).status).toBe(201);
    expect((await follower.status()).fault).not.toBeNull();
    await redis.begin();
    await expect.poll(async () => (await follower.status()).leaseAgeMs, PATIENT).toBeLessThan(LEASE_MS);
    expect((await holder.status()).role).toBe('holder');
    expect(simulator.stats().handshakes).toBe(1);
  });
});
