import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LEASE_MS } from '../../container/cluster/lease.ts';
import { Trust } from '../../container/cluster/trust.ts';
import type { ClusterStatus } from '../../container/contract/cluster.ts';
import type { BrokerBooks } from '../../scripts/soak/broker.ts';
import { Random } from '../../scripts/soak/random.ts';
import { type BridgeProcess, spawnBridge } from '../support/bridge-process.ts';
import { keyRecord } from '../support/bridge.ts';
import { samplesOf } from '../support/prometheus-text.ts';
import { hasRedis, NO_REDIS, RedisServer } from '../support/redis.ts';
import { StreamClient } from '../support/stream-client.ts';
import { type OperationBody, TradingClient } from '../support/trading.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { simulatorVariables } from '../support/simulator-variables.ts';

const KEY = 'mt5k_replicas-tests-only';
const NARROW = 'mt5k_replicas-one-login';
const PATIENT = { interval: 50 };

interface Replica {
  readonly url: string;
  readonly process: BridgeProcess;
  readonly trading: TradingClient;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  status(): Promise<ClusterStatus>;
}

/** Processes that share a volume, a Redis and a broker. */
class World {
  readonly simulator: Simulator;
  readonly folder: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #replicas: Replica[] = [];

  private constructor(simulator: Simulator, folder: string, env: Readonly<Record<string, string>>) {
    this.simulator = simulator;
    this.folder = folder;
    this.#env = env;
  }

  static async open(redis: RedisServer, broker: string): Promise<World> {
    const simulator = await startSimulator({ ticksPerSecond: 20 });
    const folder = await mkdtemp(path.join(tmpdir(), 'mt5-replicas-'));
    const keys = [await keyRecord('desk', KEY, ['admin']), await keyRecord('narrow', NARROW, ['read'], '1001')];
    const variables = {
      PORT: '0',
      BROKER: broker,
      ...simulatorVariables(simulator),
      BRIDGE_API_KEYS: JSON.stringify(keys),
      CHECKPOINT: `file:${path.join(folder, 'state.sqlite')}`,
      CLUSTER: redis.url,
      POOL_MAX: '1',
    };
    return new World(simulator, folder, variables);
  }

  async start(env: Record<string, string> = {}): Promise<Replica> {
    const process = await spawnBridge({ ...this.#env, ...env });
    const url = `http://127.0.0.1:${await process.listening}`;
    const ask: Replica['fetch'] = (at, init = {}) =>
      fetch(url + at, { ...init, headers: { 'x-api-key': KEY, ...(init.headers as Record<string, string>) } });
    const replica: Replica = {
      url,
      process,
      trading: new TradingClient({ fetch: ask }),
      fetch: ask,
      status: async () => ((await (await ask('/v1/status')).json()) as { cluster: ClusterStatus }).cluster,
    };
    this.#replicas.push(replica);
    return replica;
  }

  /** The first holds, the second follows. */
  async startTwo(): Promise<[Replica, Replica]> {
    const first = await this.start();
    // Whoever asks before there is a holder waits for it.
    expect((await first.status()).role).toBe('holder');
    return [first, await this.start()];
  }

  /** What the ledger says was done was done once, and what it says was not was not. */
  async expectOneEffectEach(replica: Replica): Promise<void> {
    const { items } = (await (await replica.fetch('/v1/operations?limit=500')).json()) as { items: OperationBody[] };
    const { users } = this.simulator.books() as BrokerBooks;
    const tags = users.flatMap(({ deals }) => deals.map(({ comment }) => comment.split(' ').at(-1)));
    for (const { key, state, tag } of items) {
      const effects = tags.filter((found) => found === tag).length;
      if (state === 'done') expect([key, effects]).toEqual([key, 1]);
      else if (['refused', 'not_executed'].includes(state)) expect([key, effects]).toEqual([key, 0]);
      else expect(effects, key).toBeLessThanOrEqual(1);
    }
  }

  /** How many orders were sent to the broker. */
  get sent(): number {
    return this.simulator.stats().byCommand['dealer/send_request'] ?? 0;
  }

  async close(): Promise<void> {
    await Promise.all(this.#replicas.map(killed));
    await this.simulator.close();
    await rm(this.folder, { recursive: true });
  }
}

async function killed({ process }: Replica): Promise<void> {
  process.child.kill('SIGKILL');
  await process.exited;
}

/** Orders of one account, one after the other, each with its key until the outcome is known or nobody can tell. */
async function keepTrading(replicas: readonly Replica[], login: number, random: Random): Promise<void> {
  for (let i = 0; i < 5; i++) {
    for (let isOpen = true; isOpen;) {
      const answer = await random
        .of(replicas)
        .trading.order(`${login}-${i}`, { login, side: random.of(['buy', 'sell']) })
        // Nothing listens, or the connection broke.
        .catch(() => undefined);
      const { outcome, retry } = (answer?.body ?? {}) as { outcome?: string; retry?: string };
      isOpen = !answer || (outcome === 'not_sent' && retry === 'after');
      if (isOpen) await delay(random.between(50, 200));
    }
  }
}

const dealsOf = (client: StreamClient): string[] =>
  client.of('delta', 'deals').flatMap(({ data }) => (data as { ticket: string }[]).map(({ ticket }) => ticket));

describe.skipIf(!hasRedis)(hasRedis ? 'two replicas' : NO_REDIS, () => {
  let redis: RedisServer;
  let world: World;
  let holder: Replica;
  let follower: Replica;

  beforeAll(async () => {
    redis = await RedisServer.start();
    world = await World.open(redis, 'main');
    [holder, follower] = await world.startTwo();
  });
  afterAll(async () => {
    await world.close();
    await redis.end();
  });

  test('either answers everything, with one sign-in; the status and the metrics of each tell its part', async () => {
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
    expect(world.simulator.stats().handshakes).toBe(1);
    const samples = samplesOf(await (await follower.fetch('/metrics')).text());
    const value = (name: string, label: string, is: string): number | undefined =>
      samples.find((sample) => sample.name === name && sample.labels[label] === is)?.value;
    expect(value('mt5_cluster_role', 'role', 'follower')).toBe(1);
    expect(value('mt5_cluster_forwards_total', 'result', 'answered')).toBeGreaterThan(5);
  });

  test('what a replica asks the holder of an earlier term, at the address of this one, is not begun', async () => {
    const { token = 0 } = (await holder.status()).holder ?? {};
    const { secret } = new Trust('Password1', '1000', 'main');
    const sent = world.sent;
    const asked = async (term: number, key: string, proof: string): Promise<number> => {
      const headers = {
        'content-type': 'application/json',
        'idempotency-key': key,
        'x-bridge-start-secret': proof,
        'x-bridge-holder-token': String(term),
      };
      const body = JSON.stringify({ login: 1001, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.10' });
      return (await holder.fetch('/v1/orders', { method: 'POST', headers, body })).status;
    };
    expect(await asked(token - 1, 'earlier', secret)).toBe(421);
    expect(world.sent).toBe(sent);
    expect(await asked(token, 'now', secret)).toBe(201);
    // Callers say nothing of terms.
    expect(await asked(token - 1, 'forged', 'no secret of ours')).toBe(201);
    expect((await holder.fetch('/v1/operations/earlier')).status).toBe(404);
  });

  test('a follower answers reference data from memory, to who may see it, until a write through any replica', async () => {
    const read = async (key = KEY): Promise<{ status: string | null; text: string }> => {
      const answer = await follower.fetch('/v1/symbols/EURUSD', { headers: { 'x-api-key': key } });
      return { status: answer.headers.get('cache-status'), text: await answer.text() };
    };
    const first = await read();
    await expect.poll(async () => (await read()).status, PATIENT).toMatch(/^replica; hit; ttl=\d+$/);
    const asked = world.simulator.stats().byCommand['symbol/get'];
    expect((await read()).text).toBe(first.text);
    expect(world.simulator.stats().byCommand['symbol/get']).toBe(asked);
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

  test('without Redis everything goes on, but that nothing is answered from memory', async () => {
    expect((await follower.fetch('/v1/symbols/EURUSD')).status).toBe(200);
    await redis.end();
    await expect.poll(async () => (await holder.status()).leaseAgeMs, PATIENT).toBeGreaterThan(LEASE_MS);
    const answer = await follower.fetch('/v1/symbols/EURUSD');
    expect([answer.status, answer.headers.get('cache-status')]).toEqual([200, null]);
    expect((await follower.trading.order('without-redis')).status).toBe(201);
    expect((await follower.status()).fault).not.toBeNull();
    await redis.begin();
    await expect.poll(async () => (await follower.status()).leaseAgeMs, PATIENT).toBeLessThan(LEASE_MS);
    expect((await holder.status()).role).toBe('holder');
    expect(world.simulator.stats().handshakes).toBe(1);
  });
});

/** One after the other, as in the life of a cluster; one ledger and one Redis all along. */
describe.skipIf(!hasRedis)(hasRedis ? 'the holder' : NO_REDIS, () => {
  let redis: RedisServer;
  let world: World;
  let holder: Replica;
  let follower: Replica;

  beforeAll(async () => {
    redis = await RedisServer.start();
    world = await World.open(redis, 'main');
    [holder, follower] = await world.startTwo();
  });
  afterAll(async () => {
    await world.close();
    await redis.end();
  });

  test('is killed: another goes on, with one sign-in, on the same ledger, and clients’ streams stay open', async () => {
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
    world.simulator.fault({ kind: 'hang', command: 'dealer/send_request' });
    const handedOver = follower.trading.order('handed-over');
    await expect.poll(() => world.simulator.stats().byCommand['dealer/send_request'], PATIENT).toBe(2);
    const random = new Random(7);
    const trading = [1003, 1004, 1005, 1006].map((login) => keepTrading([holder, follower], login, random));
    await killed(holder);
    const lost = await handedOver;
    expect(lost.body).toMatchObject({ code: 'outcome_unknown', outcome: 'unknown', retry: 'check' });

    // Whoever asks meanwhile waits for the next one.
    const [read, written] = await Promise.all([
      follower.fetch('/v1/accounts/1001'),
      follower.trading.order('after', { login: 1002 }),
    ]);
    expect([read.status, written.status]).toEqual([200, 201]);
    expect(world.simulator.stats().handshakes).toBe(2);
    expect(await follower.status()).toMatchObject({ role: 'holder', holder: { token: 2 } });

    // The same ledger: what was done is done, what is unknown is said and never sent again.
    expect((await follower.trading.order('before')).headers.get('idempotency-replayed')).toBe('true');
    const operation = (await (await follower.fetch('/v1/operations/handed-over')).json()) as { state: string };
    expect(['unknown', 'done', 'not_executed']).toContain(operation.state);
    await Promise.all(trading);
    await world.expectOneEffectEach(follower);

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

  test('is asked to end: it hands over', async () => {
    const next = await world.start();
    // Whoever reads through another replica sees nothing of it.
    const stop = new AbortController();
    const read = async (statuses: number[]): Promise<number[]> => {
      while (!stop.signal.aborted) statuses.push((await next.fetch('/v1/accounts/1001')).status);
      return statuses;
    };
    const reading = read([]);
    follower.process.child.kill('SIGTERM');
    expect(await follower.process.exited).toBe(0);
    await expect.poll(async () => (await next.status()).role, PATIENT).toBe('holder');
    stop.abort();
    expect(new Set(await reading)).toEqual(new Set([200]));
    holder = next;
  });

  test('hangs: another begins, and it writes and sends nothing more when it wakes, and ends', async () => {
    const next = await world.start();
    expect((await next.trading.order('one')).status).toBe(201);
    holder.process.child.kill('SIGSTOP');
    // The question itself waits at the one that hangs, and is asked again of the next.
    await expect.poll(async () => (await next.status()).role, PATIENT).toBe('holder');
    expect((await next.trading.order('two')).status).toBe(201);
    const sent = world.sent;
    // Asked in the moment in which it wakes.
    const late = holder.trading.order('three').catch(() => undefined);
    holder.process.child.kill('SIGCONT');
    const answer = await late;
    if (answer) expect(answer.body).toMatchObject({ outcome: 'not_sent' });
    // Whatever starts programs again only after failures does so.
    expect(await holder.process.exited).toBe(75);
    expect(holder.process.log).toContainEqual(expect.objectContaining({ event: 'fenced' }));
    expect(world.sent).toBe(sent);
    expect((await next.fetch('/v1/operations/three')).status).toBe(404);
    // One for each of the four that held.
    expect(world.simulator.stats().handshakes).toBe(4);
    await world.expectOneEffectEach(next);
    holder = next;
  });

  test('dies with its volume: the next begins with trading halted and says why', async () => {
    const next = await world.start({ CHECKPOINT: `file:${path.join(world.folder, 'another.sqlite')}` });
    expect((await next.status()).role).toBe('follower');
    await killed(holder);
    const order = await next.trading.order('after');
    expect([order.status, order.body['code']]).toEqual([403, 'trading_halted']);
    expect((await next.fetch('/v1/accounts/1001')).status).toBe(200);
    expect(await (await next.fetch('/readyz')).text()).toContain('another ledger');
  });
});
