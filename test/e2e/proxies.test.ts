import { connect, type TLSSocket } from 'node:tls';
import { type Dispatcher, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openStream, type WebSocketConstructor } from '../../container/client/streams.ts';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { spawnBridge, type BridgeProcess } from '../support/bridge-process.ts';
import { keyRecord } from '../support/bridge.ts';
import { userInBooks } from '../support/trading.ts';
import { type Proxy, PROXIES } from './support/proxy.ts';

/** The proxies of `scripts/deploy` in front of two bridges, with the very files that a user takes. */

const KEY = 'mt5k_through-a-proxy';
const SILENT_CLIENTS = 50;

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

describe.each(PROXIES)('$name', ({ package: debian, isThere, start }) => {
  let simulator: Simulator;
  let bridges: BridgeProcess[] = [];
  let proxy: Proxy;

  const ask = async (method: Dispatcher.HttpMethod, path: string, key?: string, body?: object): Promise<Answer> => {
    const answer = await request(proxy.url + path, {
      method,
      dispatcher: proxy.dispatcher,
      headers: {
        authorization: `Bearer ${KEY}`,
        // Nobody's word for its own address is taken.
        'x-forwarded-for': '198.51.100.1',
        ...(key === undefined ? {} : { 'idempotency-key': key, 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: text.startsWith('{') ? (JSON.parse(text) as Answer['body']) : { text } };
  };
  const order = (key: string): Promise<Answer> =>
    ask('POST', '/v1/orders', key, { login: 1001, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.01' });

  beforeAll(async () => {
    if (!isThere) return;
    simulator = await startSimulator({ ticksPerSecond: 5 });
    const keys = [{ ...(await keyRecord('desk', KEY, ['trade'])), ips: ['127.0.0.1', '::1'] }];
    bridges = Array.from({ length: 2 }, () =>
      spawnBridge({
        MT5_SERVER: `${simulator.host}:${simulator.port}`,
        MT5_LOGIN: '1000',
        MT5_PASSWORD: 'Password1',
        MT5_TLS: `pin:${simulator.certificateSha256}`,
        BRIDGE_API_KEYS: JSON.stringify(keys),
        CHECKPOINT: 'memory:',
        TRUSTED_PROXIES: '127.0.0.1',
        PORT: '0',
      }),
    );
    proxy = await start(await Promise.all(bridges.map(({ listening }) => listening)));
  });
  afterAll(async () => {
    await proxy?.close();
    for (const { child } of bridges) child.kill('SIGKILL');
    await Promise.all(bridges.map(({ exited }) => exited));
    await simulator?.close();
  });

  const test = (what: string, body: () => Promise<void>): void =>
    it.skipIf(!isThere)(isThere ? what : `${what} (SKIPPED: apt-get install ${debian})`, body);

  test('reads, orders and refusals come through as they are, from the client’s own address', async () => {
    const read = await ask('GET', '/v1/accounts/1001');
    expect([read.status, read.body['login']]).toEqual([200, 1001]);
    expect((await ask('GET', '/v1/groups/real%5Cstandard')).status).toBeLessThan(500);
    const placed = await order('placed');
    expect(placed.body['operation']).toMatchObject({ state: 'done' });
    expect((await ask('GET', '/v1/accounts/0')).body).toMatchObject({ code: 'invalid_field', field: 'login' });
    expect((await ask('GET', '/v1/accounts/1001?login=2')).status).toBe(422);
  });

  test('a stream gets every deal once, over a reload of the proxy', async () => {
    class Trusting extends WebSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols, { ca: proxy.ca });
      }
    }
    // A bridge that takes over looks back a minute: it may tell what was made before the subscription.
    const earlier = new Set(userInBooks(simulator.books(), 1001).deals.map(({ deal }) => String(deal)));
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
    const made: string[] = [];
    const trade = async (): Promise<void> => {
      const { body } = await order(`streamed-${made.length}`);
      made.push(...(body['deals'] as { ticket: string }[]).map(({ ticket }) => ticket));
    };
    await trade();
    await expect.poll(() => seen).toEqual(made);
    await proxy.reload();
    await trade();
    await trade();
    await expect.poll(() => seen.toSorted(), { timeout: 15_000 }).toEqual(made.toSorted());
    await stream.return?.();
    await reading;
  });

  test('clients that say half of a request, and clients that do not read, hold up nobody', async () => {
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
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => ask('GET', `/v1/accounts/${1001 + n}`)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    for (const socket of silent satisfies TLSSocket[]) socket.destroy();
  });

  test('a bridge that is killed under reads and orders: every read is answered, no order is executed twice', async () => {
    const dealsOf = () => userInBooks(simulator.books(), 1001).deals;
    const before = dealsOf().length;
    // Each is on its way for a while, so that the kill meets some of both kinds.
    simulator.latency({ latencyMs: 30 });
    const reads = Array.from({ length: 60 }, (_, n) => ask('GET', `/v1/accounts/${1001 + (n % 50)}/money`));
    const orders = Array.from({ length: 10 }, (_, n) => order(`killed-${n}`));
    await expect.poll(() => simulator.stats().byCommand['dealer/send_request'] ?? 0).toBeGreaterThan(4);
    bridges[0]?.child.kill('SIGKILL');
    expect((await Promise.all(reads)).map(({ status }) => status)).toEqual(Array(60).fill(200));
    await Promise.all(orders);
    simulator.latency({ latencyMs: 0 });
    const after = await Promise.all(Array.from({ length: 10 }, (_, n) => order(`after-${n}`)));
    expect(after.map(({ body }) => (body['operation'] as { state?: string } | undefined)?.state)).toEqual(
      Array(10).fill('done'),
    );
    // The comment of each deal is the tag of its operation.
    const comments = dealsOf()
      .slice(before)
      .map(({ comment }) => comment);
    expect(comments.length).toBeGreaterThanOrEqual(10);
    expect(comments.filter((comment, n) => comments.indexOf(comment) !== n)).toEqual([]);
  });
});
