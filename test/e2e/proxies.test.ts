import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type TLSSocket } from 'node:tls';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Dispatcher, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openStream, type WebSocketConstructor } from '../../container/client/streams.ts';
import type { ClusterStatus } from '../../container/contract/cluster.ts';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { spawnBridge, type BridgeProcess } from '../support/bridge-process.ts';
import { keyRecord } from '../support/bridge.ts';
import { hasRedis, RedisServer } from '../support/redis.ts';
import { userInBooks } from '../support/trading.ts';
import { type Proxy, PROXIES } from './support/proxy.ts';
import { simulatorVariables } from '../support/simulator-variables.ts';

/**
 * nginx and Caddy with the files of `scripts/deploy` that a user takes, both before the same two replicas, which agree in
 * Redis on who holds the session and share its ledger.
 */

const KEY = 'mt5k_through-a-proxy';
const SILENT_CLIENTS = 50;

interface Replica {
  readonly port: number;
  readonly process: BridgeProcess;
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

let simulator: Simulator;
let redis: RedisServer;
let folder: string;
let startReplica: (port: number) => Promise<Replica>;
let replicas: Replica[] = [];
/** All that were started. */
const processes: BridgeProcess[] = [];
const proxies = new Map<string, Proxy>();

const headers = {
  authorization: `Bearer ${KEY}`,
  // Nobody's word for its own address is taken.
  'x-forwarded-for': '198.51.100.1',
};

async function ask(
  { url, dispatcher }: Proxy,
  method: Dispatcher.HttpMethod,
  at: string,
  key?: string,
  body?: object,
): Promise<Answer> {
  const answer = await request(url + at, {
    method,
    dispatcher,
    headers: {
      ...headers,
      ...(key === undefined ? {} : { 'idempotency-key': key, 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.body.text();
  return { status: answer.statusCode, body: text.startsWith('{') ? (JSON.parse(text) as Answer['body']) : { text } };
}

const order = (proxy: Proxy, key: string): Promise<Answer> =>
  ask(proxy, 'POST', '/v1/orders', key, { login: 1001, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.01' });
const dealsOf = () => userInBooks(simulator.books(), 1001).deals;

/** The deals of one account as a client is told of them, from now on. */
async function streamDeals(
  proxy: Proxy,
): Promise<{ readonly seen: readonly string[]; readonly end: () => Promise<void> }> {
  class Trusting extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols, { ca: proxy.ca });
    }
  }
  // A bridge that takes over looks back a minute: it may tell what was made before the subscription.
  const earlier = new Set(dealsOf().map(({ deal }) => String(deal)));
  const seen: string[] = [];
  const ready = Promise.withResolvers<void>();
  const stream = openStream(
    'deals',
    { logins: [1001] },
    { baseUrl: proxy.url, key: KEY, webSocket: Trusting as unknown as WebSocketConstructor, random: () => 0.05 },
  );
  const reading = (async () => {
    for await (const event of stream) {
      if (event.type === 'snapshot') ready.resolve();
      if (event.type !== 'delta') continue;
      seen.push(...event.data.map(({ ticket }) => ticket).filter((ticket) => !earlier.has(ticket)));
    }
  })();
  await ready.promise;
  const end = async (): Promise<void> => {
    await stream.return?.();
    await reading;
  };
  return { seen, end };
}

/** Who holds, and who follows, as each says itself. */
async function roles(): Promise<Record<ClusterStatus['role'], Replica>> {
  const said = await Promise.all(
    replicas.map(async (replica) => {
      const { body } = await request(`http://127.0.0.1:${replica.port}/v1/status`, { headers: { 'x-api-key': KEY } });
      const { cluster } = (await body.json()) as { cluster: ClusterStatus };
      return [cluster.role, replica] as const;
    }),
  );
  return Object.fromEntries(said) as Record<ClusterStatus['role'], Replica>;
}

/** Both replicas answer through it: the one that was started again is asked again. */
async function expectBothBehind(proxy: Proxy): Promise<void> {
  const answered = new Set<string>();
  const look = async (): Promise<number> => {
    const { cluster } = (await ask(proxy, 'GET', '/v1/status')).body as { cluster?: ClusterStatus };
    if (cluster) answered.add(cluster.replica);
    return answered.size;
  };
  await expect.poll(look).toBe(2);
}

/** Kills one while reads and orders are on their way through every proxy, and starts it again where it was. */
async function expectToBearTheDeathOf(role: ClusterStatus['role']): Promise<void> {
  const all = [...proxies.values()];
  await Promise.all(all.map(expectBothBehind));
  const keysOf = (name: string): readonly (readonly [Proxy, string])[] =>
    [...proxies].flatMap(([kind, proxy]) =>
      Array.from({ length: 6 }, (_, n) => [proxy, `${name}-${role}-${kind}-${n}`] as const),
    );
  const before = dealsOf().length;
  const sentBefore = simulator.stats().byCommand['dealer/send_request'] ?? 0;
  const streams = await Promise.all(all.map(streamDeals));
  const { [role]: victim } = await roles();
  // Each is on its way for a while, so that the kill meets some of both kinds.
  simulator.latency({ latencyMs: 30 });
  const read = () =>
    all.flatMap((proxy) => Array.from({ length: 10 }, (_, n) => ask(proxy, 'GET', `/v1/accounts/${1001 + n}/money`)));
  const underWay = read();
  const orders = keysOf('killed').map(([proxy, key]) => order(proxy, key));
  await expect.poll(() => simulator.stats().byCommand['dealer/send_request'] ?? 0).toBeGreaterThan(sentBefore + 4);
  victim.process.child.kill('SIGKILL');
  // What starts a program that ended does it at once, and with the same address.
  const started = victim.process.exited.then(() => startReplica(victim.port));
  const reads = [...underWay, ...read()];
  expect(new Set((await Promise.all(reads)).map(({ status }) => status))).toEqual(new Set([200]));
  await Promise.all(orders);
  simulator.latency({ latencyMs: 0 });

  replicas = await Promise.all(replicas.map((replica) => (replica === victim ? started : Promise.resolve(replica))));
  const after = await Promise.all(keysOf('after').map(([proxy, key]) => order(proxy, key)));
  expect(after.filter(({ status }) => status !== 201)).toEqual([]);
  // A caller that got no answer may always ask again.
  const again = await Promise.all(keysOf('killed').map(([proxy, key]) => order(proxy, key)));
  for (const { body } of again) expect(body).toHaveProperty('operation.state');

  // The comment of each deal is the tag of its operation.
  const made = dealsOf().slice(before);
  expect(made.length).toBeGreaterThanOrEqual(after.length);
  const comments = made.map(({ comment }) => comment);
  expect(comments.filter((comment, n) => comments.indexOf(comment) !== n)).toEqual([]);
  const tickets = made.map(({ deal }) => String(deal)).toSorted();
  for (const { seen, end } of streams) {
    await expect.poll(() => seen.toSorted()).toEqual(tickets);
    await end();
  }
}

const missing = [
  ...PROXIES.filter(({ isThere }) => !isThere).map((kind) => kind.package),
  ...(hasRedis ? [] : ['redis-server']),
];
const isAnyThere = hasRedis && PROXIES.some(({ isThere }) => isThere);
const named = (what: string, lacks: boolean): string =>
  missing.length === 0 ? what : `${what} (${lacks ? 'SKIPPED' : 'IN PART'}: apt-get install ${missing.join(' ')})`;

beforeAll(async () => {
  if (!isAnyThere) return;
  const [made] = await Promise.all([
    mkdtemp(path.join(tmpdir(), 'mt5-proxies-')),
    startSimulator({ ticksPerSecond: 5 }).then((started) => (simulator = started)),
    RedisServer.start().then((started) => (redis = started)),
  ]);
  folder = made;
  const keys = [{ ...(await keyRecord('desk', KEY, ['trade', 'operate'])), ips: ['127.0.0.1', '::1'] }];
  startReplica = async (port) => {
    const process = await spawnBridge({
      PORT: String(port),
      ...simulatorVariables(simulator),
      BRIDGE_API_KEYS: JSON.stringify(keys),
      CHECKPOINT: `file:${path.join(folder, 'state.sqlite')}`,
      CLUSTER: redis.url,
      TRUSTED_PROXIES: '127.0.0.1',
    });
    processes.push(process);
    return { port: await process.listening, process };
  };
  replicas = await Promise.all([startReplica(0), startReplica(0)]);
  const ports = replicas.map(({ port }) => port);
  await Promise.all(
    PROXIES.filter(({ isThere }) => isThere).map(async ({ name, start }) => proxies.set(name, await start(ports))),
  );
});
afterAll(async () => {
  await Promise.all([...proxies.values()].map((proxy) => proxy.close()));
  for (const { child } of processes) child.kill('SIGKILL');
  await Promise.all(processes.map(({ exited }) => exited));
  await simulator?.close();
  await redis?.end();
  if (folder) await rm(folder, { recursive: true });
});

describe.each(PROXIES)('$name', ({ name, isThere: isInstalled }) => {
  const isThere = isInstalled && hasRedis;
  const test = (what: string, body: (proxy: Proxy) => Promise<void>): void =>
    it.skipIf(!isThere)(isThere ? what : named(what, true), async () => {
      const proxy = proxies.get(name);
      if (!proxy) throw new Error(`${name} was not started`);
      await body(proxy);
    });

  test('reads, orders and refusals come through as they are, from the client’s own address', async (proxy) => {
    const read = await ask(proxy, 'GET', '/v1/accounts/1001');
    expect([read.status, read.body['login']]).toEqual([200, 1001]);
    expect((await ask(proxy, 'GET', '/v1/groups/real%5Cstandard')).status).toBeLessThan(500);
    const placed = await order(proxy, `placed-${name}`);
    expect(placed.body['operation']).toMatchObject({ state: 'done' });
    expect((await ask(proxy, 'GET', '/v1/accounts/0')).body).toMatchObject({ code: 'invalid_field', field: 'login' });
    expect((await ask(proxy, 'GET', '/v1/accounts/1001?login=2')).status).toBe(422);
  });

  test('a stream gets every deal once, over a reload of the proxy', async (proxy) => {
    const { seen, end } = await streamDeals(proxy);
    const made: string[] = [];
    const trade = async (): Promise<void> => {
      const { body } = await order(proxy, `streamed-${name}-${made.length}`);
      made.push(...(body['deals'] as { ticket: string }[]).map(({ ticket }) => ticket));
    };
    await trade();
    await expect.poll(() => seen).toEqual(made);
    await proxy.reload();
    await trade();
    await trade();
    await expect.poll(() => seen.toSorted()).toEqual(made.toSorted());
    await end();
  });

  test('clients that say half of a request, and clients that do not read, hold up nobody', async (proxy) => {
    const { port } = new URL(proxy.url);
    const silent = await Promise.all(
      Array.from({ length: SILENT_CLIENTS }, async (_, n) => {
        const socket = connect({ port: Number(port), host: '127.0.0.1', servername: 'localhost', ca: proxy.ca });
        socket.on('error', () => undefined);
        await new Promise((resolve) => socket.once('secureConnect', resolve));
        const head = `GET /v1/symbols HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${KEY}\r\n`;
        // Every other one asks, and never reads the answer.
        socket.pause();
        socket.write(n % 2 === 0 ? head : `${head}\r\n`);
        return socket;
      }),
    );
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => ask(proxy, 'GET', `/v1/accounts/${1001 + n}`)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    for (const socket of silent satisfies TLSSocket[]) socket.destroy();
  });
});

/** Through all proxies at once: one death shows both. */
describe('killed under reads and orders: every read is answered, no order is executed twice, streams miss no deal', () => {
  const test = it.skipIf(!isAnyThere);
  test(named('the replica that follows', !isAnyThere), () => expectToBearTheDeathOf('follower'));
  test(named('the replica that holds the session', !isAnyThere), () => expectToBearTheDeathOf('holder'));
});
