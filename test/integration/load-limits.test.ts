import { mkdtemp, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { openAsBrowser } from '../support/browser-like.ts';
import { startBridge, type BridgeUnderTest } from '../support/bridge.ts';

/** What one caller, or none with a key, may take from the others on a VPS. */

let simulator: Simulator;
let bridge: BridgeUnderTest | undefined;
beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 1 });
});
afterAll(() => simulator.close());
afterEach(async () => {
  simulator.reset();
  await bridge?.close();
  bridge = undefined;
});

const start = async (env: Record<string, string> = {}): Promise<BridgeUnderTest> =>
  (bridge = await startBridge({ simulator, env }));

const batch = (size: number) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    requests: Array.from({ length: size }, (_, n) => ({ path: `/v1/accounts/${1001 + (n % 50)}` })),
  }),
});

it('requests per key are limited as at the door, a batch counts its items, another key is not touched', async () => {
  const started = await start({ RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: '30' });
  const fetch = (path: string, init?: RequestInit): Promise<Response> => started.fetch(path, init);
  const first = await fetch('/v1/batch', batch(20));
  expect(first.status).toBe(200);
  expect(first.headers.get('ratelimit')).toMatch(/^"key";r=1\d;t=\d+$/);
  expect(first.headers.get('ratelimit-policy')).toBe('"key";q=30;w=30');
  const second = await fetch('/v1/batch', batch(20));
  expect(second.status).toBe(429);
  expect(second.headers.get('retry-after')).toMatch(/^\d+$/);
  const reader = { headers: { 'x-api-key': bridge?.readKey ?? '' } };
  expect((await fetch('/v1/accounts/1001', reader)).status).toBe(200);
  // Answers that are kept count too.
  const statuses = [];
  for (let n = 0; n < 32; n++) statuses.push((await fetch('/v1/symbols/EURUSD', reader)).status);
  expect(statuses.at(-1)).toBe(429);
});

it('silent sockets without a key keep nobody out who has one', async () => {
  const { url, adminKey } = await start({ MAX_CONNECTIONS: '20' });
  const address = `${url.replace('http', 'ws')}/v1/stream`;
  const open = (headers = {}): Promise<WebSocket | number> =>
    new Promise((resolve) => {
      const socket = new WebSocket(address, { headers });
      socket.on('open', () => resolve(socket));
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
      socket.on('error', () => undefined);
    });
  const strangers = await Promise.all(Array.from({ length: 150 }, () => open()));
  expect(strangers.filter((socket) => typeof socket !== 'number')).toHaveLength(100);
  expect(strangers.filter((socket) => socket === 503)).toHaveLength(50);
  const known = await open({ authorization: `Bearer ${adminKey}` });
  expect(known).toBeInstanceOf(WebSocket);
  for (const socket of [...strangers, known]) if (typeof socket !== 'number') socket.terminate();
});

it('work that cannot be answered in time is refused early, with the time to come back', async () => {
  const started = await start({ POOL_MAX: '1' });
  const fetch = (path: string, init?: RequestInit): Promise<Response> => started.fetch(path, init);
  simulator.latency({ latencyMs: 400 });
  // Answers take 400 ms, one at a time, and a request waits 30 s: about 75 are answered in time.
  for (let n = 0; n < 2; n++) await fetch(`/v1/accounts/${1001 + n}/money`);
  const answers = Array.from({ length: 150 }, (_, n) =>
    fetch(`/api/user/get?login=${1001 + (n % 100)}&n=${n}`).then(async (answer) => {
      await answer.arrayBuffer();
      return answer;
    }),
  );
  const refused = await Promise.any(
    answers.map(async (answer) => {
      const { status, headers } = await answer;
      if (status !== 503) throw new Error(`${status}`);
      return headers.get('retry-after');
    }),
  );
  expect(Number(refused)).toBeGreaterThan(0);
  simulator.latency({ latencyMs: 0 });
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200, 503]));
});

it('a key that floods waits for itself: another one’s read is served at its turn', async () => {
  const started = await start({ POOL_MAX: '1' });
  const { readKey } = started;
  const fetch = (path: string, init?: RequestInit): Promise<Response> => started.fetch(path, init);
  await fetch('/api/user/get?login=1001');
  simulator.latency({ latencyMs: 30 });
  let done = 0;
  const flood = Array.from({ length: 100 }, (_, n) => fetch(`/api/user/get?login=${1001 + n}`).then(() => void done++));
  await expect.poll(() => done).toBeGreaterThan(2);
  const before = done;
  expect((await fetch('/api/user/get?login=1002', { headers: { 'x-api-key': readKey } })).status).toBe(200);
  // One that was under way, and one of the flood's own turn.
  expect(done - before).toBeLessThan(8);
  simulator.latency({ latencyMs: 0 });
  await Promise.all(flood);
});

it('answers carry nosniff, /readyz names no address, and the state is its owner’s alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'state-'));
  const file = join(folder, 'state.sqlite');
  const started = await start({ CHECKPOINT: `file:${file}`, MT5_SERVER: '127.0.0.1:9' });
  const { url } = started;
  const fetch = (path: string, init?: RequestInit): Promise<Response> => started.fetch(path, init);
  expect((await fetch('/v1/accounts/1001')).headers.get('x-content-type-options')).toBe('nosniff');
  await expect.poll(async () => (await globalThis.fetch(`${url}/readyz`)).status).toBe(503);
  const text = await (await globalThis.fetch(`${url}/readyz`)).text();
  expect(text).not.toContain('127.0.0.1');
  expect(text).toContain('cannot be reached');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await bridge?.close();
  bridge = undefined;
  await rm(folder, { recursive: true });
});

it('a head that does not come ends after its ten seconds; a connection kept for later just ends', async () => {
  const { port } = await start();
  const startedAtMs = Date.now();
  const heard = (sent: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    if (sent !== '') socket.write(sent);
    return new Promise((resolve) => {
      let all = '';
      socket.on('data', (data) => (all += data.toString()));
      socket.on('close', () => resolve(all));
    });
  };
  const [begun, unused] = await Promise.all([heard('GET / HTTP/1.1\r\nhost: x\r\n'), heard('')]);
  expect(begun).toContain('408');
  // Whoever opened it would take an answer for that of its first request.
  expect(unused).toBe('');
  expect(Date.now() - startedAtMs).toBeLessThan(20_000);
}, 25_000);

it('bidirectional control characters are refused', async () => {
  const started = await start();
  const fetch = (path: string, init?: RequestInit): Promise<Response> => started.fetch(path, init);
  const answer = await fetch('/v1/accounts/1001', {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'bidi' },
    body: JSON.stringify({ comment: 'abc\u202Edef' }),
  });
  expect(await answer.json()).toMatchObject({ code: 'invalid_field', field: 'comment' });
});

it('a browser offers its key as a subprotocol, which is never echoed', async () => {
  const { url, readKey } = await start();
  expect(await openAsBrowser(url, ['mt5-edge-bridge', `bearer.${readKey}`])).toBe('mt5-edge-bridge');
});
