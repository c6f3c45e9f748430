import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { type BridgeProcess, spawnBridge } from '../support/bridge-process.ts';
import { freePort } from '../support/free-port.ts';
import { StreamClient } from '../support/stream-client.ts';
import { effectsOf } from '../support/trading.ts';
import { type Edge, startEdge } from './support/edge.ts';
import { simulatorVariables } from '../support/simulator-variables.ts';

/** `ORIGIN=vps`: the Worker as the gateway of a bridge on a VPS, in a deployment that declares no containers. */
const KEY = 'what-the-worker-and-the-vps-both-know';
let simulator: Simulator;
let edge: Edge;
let vps: BridgeProcess;
let begin: () => Promise<void>;

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 20 });
  const port = await freePort();
  begin = async () => {
    vps = await spawnBridge({
      ...simulatorVariables(simulator),
      DOOR_KEY: KEY,
      PORT: String(port),
    });
    await vps.listening;
  };
  await begin();
  edge = await startEdge({
    simulator,
    withoutContainers: true,
    // The broker's are the VPS's alone.
    vars: {
      ORIGIN: 'vps',
      VPS_ORIGIN: `http://127.0.0.1:${port}`,
      VPS_KEY: KEY,
      MT5_SERVER: '',
      MT5_LOGIN: '',
      MT5_PASSWORD: '',
      RATE_LIMIT_PER_SECOND: '1',
      RATE_LIMIT_BURST: '30',
    },
  });
});
afterAll(async () => {
  await edge?.close();
  vps?.child.kill('SIGKILL');
  await vps?.exited;
  await simulator?.close();
});

const order = (key: string): Promise<{ status: number; body: Record<string, unknown> }> =>
  edge.json('/v1/orders', {
    method: 'POST',
    headers: { 'x-api-key': edge.keys.trade, 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({ login: 1001, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.01' }),
  });
const tagOf = ({ body }: { body: Record<string, unknown> }): string =>
  String((body['operation'] as Record<string, unknown>)['tag']);

it('reads are the VPS’s, with one sign-in; the door asks for keys and scopes, and no container is started', async () => {
  const answer = await edge.fetch('/api/user/get?login=1001');
  expect([answer.status, answer.headers.get('x-bridge-origin')]).toEqual([200, 'vps']);
  await answer.body?.cancel();
  expect((await edge.json('/v1/status')).body).toMatchObject({ ready: true, origin: { name: 'vps' } });
  expect(simulator.stats().handshakes).toBe(1);
  const unknown = await edge.json('/api/user/get?login=1001', { headers: { 'x-api-key': 'mt5k_wrong' } });
  expect(unknown.status).toBe(401);
  const { status } = await edge.json('/v1/orders', { method: 'POST', body: '{}' });
  expect(status).toBe(403);
  expect(edge.engine.processes).toEqual([]);
});

it('the hub streams what the VPS tells', async () => {
  const stream = await StreamClient.open(`${edge.url}/v1/stream`, { key: edge.keys.trade });
  stream.send({ op: 'subscribe', topic: 'ticks', symbols: ['EURUSD'] });
  await stream.first('delta', 'ticks');
  stream.expectUnbroken('ticks');
  stream.close();
});

it('a key’s limit is counted before the VPS', async () => {
  const headers = { 'x-api-key': edge.keys.masked };
  const answers = await Promise.all(
    Array.from({ length: 60 }, () => edge.json('/api/user/get?login=1001', { headers })),
  );
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(30);
  expect(statuses).toContain(429);
});

it('with the VPS gone, reference data is answered by the Worker and the rest with the reason; what it wrote is known when it is back', async () => {
  const symbol = (): Promise<Response> => edge.fetch('/v1/symbols/EURUSD');
  expect((await (await symbol()).json()) as object).toMatchObject({ symbol: 'EURUSD' });
  const written = await order('once');
  expect(written.status).toBe(201);
  vps.child.kill('SIGKILL');
  await vps.exited;
  const kept = await symbol();
  expect([kept.status, kept.headers.get('cache-status')]).toEqual([200, expect.stringContaining('hit') as string]);
  await kept.body?.cancel();
  const gone = await edge.json('/api/user/get?login=1001');
  expect(gone).toMatchObject({ status: 503, body: { detail: expect.stringContaining('VPS') as string } });
  await begin();
  await expect.poll(async () => (await order('once')).status, { timeout: 20_000 }).toBe(201);
  expect(tagOf(await order('once'))).toBe(tagOf(written));
  expect(effectsOf(simulator.books(), tagOf(written))).toBe(1);
  expect(edge.engine.processes).toEqual([]);
});
