import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';

/** Reads that wait for one session travel together, and nobody sees it in the answers. */

let simulator: Simulator;

beforeAll(async () => {
  // Slow enough that requests wait for each other.
  simulator = await startSimulator({ ticksPerSecond: 0, latencyMs: 3 });
});
afterEach(() => {
  simulator.clearFaults();
  simulator.reset(['switches']);
});
afterAll(() => simulator.close());

const oneSession = (): Promise<BridgeUnderTest> => startBridge({ simulator, env: { POOL_MAX: '1' } });

async function read(bridge: BridgeUnderTest, path: string, init?: RequestInit): Promise<string> {
  const answer = await bridge.fetch(path, init);
  const body = (await answer.text()).replace(/"requestId":"[^"]*"/, '"requestId":""');
  return `${answer.status} ${body}`;
}

const all = (bridge: BridgeUnderTest, paths: readonly string[]): Promise<string[]> =>
  Promise.all(paths.map((path) => read(bridge, path)));

async function oneByOne(bridge: BridgeUnderTest, paths: readonly string[]): Promise<string[]> {
  const answers: string[] = [];
  for (const path of paths) answers.push(await read(bridge, path));
  return answers;
}

const commands = (): Readonly<Record<string, number>> => simulator.stats().byCommand;
const moneyOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `/v1/accounts/${1001 + i}/money`);

test('a hundred accounts at once cost a few round trips, each account answered with its own', async () => {
  const bridge = await oneSession();
  await read(bridge, '/v1/accounts/1001/money');
  const before = simulator.stats().requests;
  const answers = await all(bridge, moneyOf(100));
  answers.forEach((answer, i) => expect(answer).toContain(`"login":${1001 + i},`));
  // How many depends on how quickly the machine takes the hundred requests in.
  expect(simulator.stats().requests - before).toBeLessThan(50);
  await bridge.close();
});

test('a batch of requests travels in one round trip', async () => {
  const bridge = await oneSession();
  await read(bridge, '/v1/accounts/1001/money');
  const before = simulator.stats().requests;
  const answer = await bridge.fetch('/v1/batch', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ requests: moneyOf(20).map((path) => ({ path })) }),
  });
  expect(answer.status).toBe(200);
  expect(simulator.stats().requests - before).toBe(1);
  await bridge.close();
});

test('quotes of one group travel together, each symbol answered with its own price', async () => {
  const bridge = await oneSession();
  const { group } = (await (await bridge.fetch('/v1/accounts/1001')).json()) as { group: string };
  const symbols = ['EURUSD', 'GBPUSD', 'XAUUSD', 'NOSUCH'];
  const paths = symbols.map((symbol) => `/v1/quotes?symbols=${symbol}&group=${encodeURIComponent(group)}`);
  const before = commands()['tick/last_group'] ?? 0;
  const together = await all(bridge, paths);
  expect((commands()['tick/last_group'] ?? 0) - before).toBeLessThan(symbols.length + 2);
  expect(together).toEqual(await oneByOne(bridge, paths));
  expect(together[0]).toContain('"symbol":"EURUSD"');
  await bridge.close();
});

test('a lone read is asked for as ever', async () => {
  const bridge = await oneSession();
  const before = commands()['user/account/get_batch'] ?? 0;
  await oneByOne(bridge, moneyOf(5));
  expect((commands()['user/account/get_batch'] ?? 0) - before).toBe(0);
  await bridge.close();
});

test('a build without the form for many is asked for it once', async () => {
  simulator.switch({ missingCommands: ['user/account/get_batch'] });
  const bridge = await oneSession();
  const before = commands()['user/account/get_batch'] ?? 0;
  for (let round = 0; round < 3; round++)
    for (const answer of await all(bridge, moneyOf(20))) expect(answer).toMatch(/^200 /);
  expect((commands()['user/account/get_batch'] ?? 0) - before).toBeLessThanOrEqual(1);
  await bridge.close();
});

test('passthrough is never merged', async () => {
  const bridge = await oneSession();
  const before = commands()['user/get_batch'] ?? 0;
  const answers = await all(
    bridge,
    Array.from({ length: 20 }, (_, i) => `/api/user/get?login=${1001 + i}`),
  );
  for (const answer of answers) expect(answer).toMatch(/^200 /);
  expect((commands()['user/get_batch'] ?? 0) - before).toBe(0);
  await bridge.close();
});

test('a caller who leaves does not disturb those who travel with it', async () => {
  const bridge = await oneSession();
  await read(bridge, '/v1/accounts/1001/money');
  simulator.fault({ kind: 'slow', ms: 300, count: 2 });
  const leaving = new AbortController();
  const left = read(bridge, '/v1/accounts/1050/money', { signal: leaving.signal }).catch(() => 'left');
  const staying = all(bridge, moneyOf(10));
  setTimeout(() => leaving.abort(), 100);
  expect(await left).toBe('left');
  for (const answer of await staying) expect(answer).toMatch(/^200 /);
  await bridge.close();
});

test('a connection that breaks under a train: each read is asked for once more, on a new one', async () => {
  const bridge = await oneSession();
  await read(bridge, '/v1/accounts/1001/money');
  simulator.fault({ kind: 'reset', command: 'user/account/get_batch', count: 1 });
  for (const answer of await all(bridge, moneyOf(20))) expect(answer).toMatch(/^200 /);
  await bridge.close();
});

const reads = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('', '/money', '/positions', '/orders') },
  { weight: 1, arbitrary: fc.constantFrom('/deals', '/history').map((list) => `${list}?from=FROM&to=TO`) },
);
/** Clients, managers, and logins that do not exist. */
const logins = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1001, max: 1040 }) },
  { weight: 1, arbitrary: fc.constantFrom(1000, 999_999, 77) },
);
const now = Date.now();
const at = (days: number): string => encodeURIComponent(new Date(now - days * 86_400_000).toISOString());
const accountReads = fc
  .tuple(logins, reads)
  .map(([login, list]) => `/v1/accounts/${login}${list}`.replace('FROM', at(7)).replace('TO', at(-1)));
const tickets = fc
  .tuple(fc.constantFrom('positions', 'orders', 'deals', 'history'), fc.integer({ min: 1, max: 400 }))
  .map(([list, ticket]) => `/v1/${list}/${ticket}`);

for (const [name, switches] of [
  ['as documented', {}],
  ['nothing is 13', { emptyResult: '13' }],
  ['without get_batch', { missingCommands: ['user/get_batch', 'position/get_batch', 'order/get_batch'] }],
  ['small parts', { historyBytes: 1024 * 64 }],
  ['errors as HTTP statuses', { businessErrorStatus: '4xx' }],
] as const)
  test(`random mixes at once are answered as one by one: ${name}`, async () => {
    simulator.switch(switches);
    const bridge = await oneSession();
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.oneof(accountReads, accountReads, tickets), { minLength: 2, maxLength: 40 }),
          async (paths) => {
            const expected = await oneByOne(bridge, paths);
            expect(await all(bridge, paths)).toEqual(expected);
          },
        ),
        { numRuns: 3, seed: 17 },
      );
    } finally {
      await bridge.close();
    }
  });
