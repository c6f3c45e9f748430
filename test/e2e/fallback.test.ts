import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { type BridgeProcess, spawnBridge } from '../support/bridge-process.ts';
import { effectsOf } from '../support/trading.ts';
import { StreamClient } from '../support/stream-client.ts';
import { type Edge, startEdge } from './support/edge.ts';
import { freePort } from '../support/free-port.ts';
import { simulatorVariables } from '../support/simulator-variables.ts';

/** The whole road with a VPS behind it: a second bridge process, in which nobody is signed in until it is needed. */
const KEY = 'what-the-worker-and-the-vps-both-know';
const AFTER_MS = 2_000;
let simulator: Simulator;
let vps: BridgeProcess;
let edge: Edge;
let isGone = false;

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 20 });
  const port = await freePort();
  vps = await spawnBridge({
    ...simulatorVariables(simulator),
    DOOR_KEY: KEY,
    PORT: String(port),
  });
  await vps.listening;
  edge = await startEdge({
    simulator,
    around: (program) => (isGone ? { ...program, command: [process.execPath, '-e', 'process.exit(3)'] } : program),
    vars: {
      // One session: a pool grows where answers are slow.
      POOL_MAX: '1',
      FALLBACK_ORIGIN: `http://127.0.0.1:${port}`,
      FALLBACK_KEY: KEY,
      FALLBACK_WRITES: 'on',
      FALLBACK_AFTER_MS: String(AFTER_MS),
    },
  });
});
afterAll(async () => {
  await edge?.close();
  vps?.child.kill('SIGKILL');
  await vps?.exited;
  await simulator?.close();
});

const read = async (): Promise<{ status: number; origin: string | null }> => {
  const answer = await edge.fetch('/api/user/get?login=1001');
  await answer.text();
  return { status: answer.status, origin: answer.headers.get('x-bridge-origin') };
};
const origin = async (): Promise<unknown> => ((await edge.json('/v1/status')).body['origin'] as { name: string }).name;

/** No container can be had any more. */
function loseContainers(): void {
  isGone = true;
  edge.engine.kill('SIGKILL');
}

it('the container is gone for good: the next read is answered by the VPS, in time; streams go on there, with a gap told', async () => {
  // A warming call waits for the container however long it takes, a request only FALLBACK_AFTER_MS.
  await edge.scheduled();
  const stream = await StreamClient.open(`${edge.url}/v1/stream`, { key: edge.keys.read });
  stream.send({ op: 'subscribe', topic: 'ticks', symbols: ['EURUSD'] });
  await stream.first('snapshot', 'ticks');
  loseContainers();
  expect(await read()).toEqual({ status: 200, origin: 'fallback' });
  expect(await origin()).toBe('fallback');
  await stream.first('gap', 'ticks');
  await expect.poll(() => new Set(stream.of('snapshot', 'ticks').map(({ epoch }) => epoch)).size).toBe(2);
  stream.close();
});

it('without the signature of its Worker the VPS answers nobody', async () => {
  const port = new URL(`http://127.0.0.1:${await vps.listening}`).port;
  const answer = await fetch(`http://127.0.0.1:${port}/v1/accounts/1001`, {
    headers: {
      'x-bridge-caller': '{"id":"x","scopes":["admin"]}',
      'x-bridge-signature': `${Date.now() + 9_000}.${'0'.repeat(64)}`,
    },
  });
  expect(answer.status).toBe(401);
});

interface Books {
  readonly users: readonly { readonly deals: readonly { readonly comment: string }[] }[];
}
const deals = (): number => (simulator.books() as Books).users.reduce((sum, user) => sum + user.deals.length, 0);

it('writes over a switch back and there, with connections that drop: each is executed once, and the ledger has it', async () => {
  const before = deals();
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const kinds = ['drop-before-execution', 'drop-after-execution', 'reset'];
  const headers = { 'x-api-key': edge.keys.trade, 'content-type': 'application/json' };
  const keys: string[] = [];
  const origins = new Set<string | null>();
  const send = async (key: string, login: number): Promise<void> => {
    const body = JSON.stringify({ login, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.01' });
    const answer = await edge.fetch('/v1/orders', {
      method: 'POST',
      headers: { ...headers, 'idempotency-key': key },
      body,
    });
    origins.add(answer.headers.get('x-bridge-origin'));
    await answer.text();
  };
  /** One after the other, a part of them lost on the way to or from the broker; each key sent twice, to whoever answers. */
  const burst = async (name: string): Promise<void> => {
    for (let i = 0; i < 6; i++) {
      const [key, login] = [`${name}-${i}`, 1001 + random(5)];
      keys.push(key);
      const kind = kinds[random(2 * kinds.length)];
      if (kind !== undefined) simulator.fault({ kind, command: 'dealer/send_request', count: 1 });
      await send(key, login);
      simulator.clearFaults();
      await send(key, login);
    }
  };
  await burst('fallback');
  isGone = false;
  await Promise.all([burst('back'), expect.poll(origin, { timeout: 30_000 }).toBe('container')]);
  await burst('container');
  loseContainers();
  await burst('there');
  expect(origins).toContain('fallback');
  expect(origins).toContain('container');
  const operations = async (): Promise<{ executed: number; done: number }> => {
    const told = await Promise.all(keys.map((key) => edge.json(`/v1/operations/${key}`, { headers })));
    const known = told.filter(({ status }) => status === 200).map(({ body }) => body);
    const effects = known.map(({ tag }) => effectsOf(simulator.books(), String(tag)));
    expect(Math.max(...effects)).toBe(1);
    return {
      executed: effects.filter((effect) => effect === 1).length,
      done: known.filter(({ state }) => state === 'done').length,
    };
  };
  // What was executed and not told is found in the books by whoever holds the session.
  await expect.poll(async () => (await operations()).done, { timeout: 30_000 }).toBe(deals() - before);
  expect((await operations()).executed).toBe(deals() - before);
});
