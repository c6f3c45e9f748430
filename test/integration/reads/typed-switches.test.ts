import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Problem } from '../../../container/contract/errors.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import type { Switches } from '../../simulator/switches.ts';
import { type BridgeUnderTest, startBridge } from '../../support/bridge.ts';

/** Servers disagree (mt5-webapi §8): each disagreement by itself, and the same answers come out. */

let simulator: Simulator;
let bridge: BridgeUnderTest;

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
  bridge = await startBridge({ simulator });
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});

const READS = [
  '/v1/accounts/1001',
  '/v1/accounts?logins=1001,1002',
  '/v1/accounts?group=real%5C*&limit=3',
  '/v1/accounts/1001/positions',
  '/v1/accounts/1001/orders',
  '/v1/accounts/1001/orders/history?limit=150',
  '/v1/accounts/1001/deals?limit=150',
  '/v1/positions?logins=1001,1002,1003',
  '/v1/deals?logins=1001,1002&limit=120',
  '/v1/symbols/EURUSD',
  '/v1/symbols/EURUSD/book',
  '/v1/groups/demo%5Cforex',
  '/v1/candles?symbol=EURUSD&timeframe=M5&from=2026-07-14T09:00:00Z&to=2026-07-14T10:00:00Z',
  '/v1/profit?group=real%5Chedge-usd&symbol=EURUSD&side=buy&volume=0.10&priceOpen=1.10000&priceClose=1.10500',
];

/** What changes by itself from one read to the next. */
const steady = (body: unknown): unknown =>
  JSON.parse(
    JSON.stringify(body, (name, value: unknown) =>
      [
        'money',
        'priceCurrent',
        'profit',
        'equity',
        'lastAccessAt',
        'lastAccessAtMs',
        'updatedAt',
        'updatedAtMs',
        'readAt',
        'readAtMs',
      ].includes(name)
        ? undefined
        : value,
    ),
  );

async function suite(): Promise<unknown[]> {
  const answers = await Promise.all(READS.map((path) => bridge.fetch(path)));
  const bodies: unknown[] = await Promise.all(answers.map((answer) => answer.json()));
  for (const [i, answer] of answers.entries())
    expect(answer.status, `${READS[i]} ${JSON.stringify(bodies[i]).slice(0, 200)}`).toBe(200);
  return bodies.map(steady);
}

const switches: readonly [keyof Switches, Switches[keyof Switches]][] = [
  ['cookie', true],
  ['scalarCasing', 'documented'],
  ['marginRates', 'nested'],
  ['bookUntilSubscribed', 'full'],
  ['totalZero', 'empty'],
  ['businessErrorStatus', '4xx'],
  ['emptyResult', '13'],
  ['modifyFlags', 'ModifyFlags'],
  ['apiDataUnsigned', 'ValueUint'],
  ['optionsMode', 'OptionsMode'],
  ['contentType', 'text/html'],
  ['contentType', 'none'],
  ['plusInQuery', 'plus'],
  ['acceptBody', 'json'],
  ['pageLimit', 1000],
  ['pageLimit', 10],
];

describe('the typed reads', () => {
  it('are the same whatever the server disagrees on', async () => {
    const expected = await suite();
    for (const [name, value] of switches) {
      simulator.reset(['switches']);
      simulator.switch({ [name]: value });
      const fresh = await suite();
      expect(fresh, `${name} = ${String(value)}`).toEqual(expected);
    }
    simulator.reset(['switches']);
  });

  it('show an account without trades as empty lists, and one that is not there as not found', async () => {
    for (const emptyResult of ['array', '13'] as const) {
      simulator.switch({ emptyResult });
      const window = 'from=1991-01-01&to=1991-02-01';
      for (const path of [
        `/v1/accounts/1001/deals?${window}`,
        `/v1/deals?logins=1001,1002&${window}`,
        `/v1/accounts?group=none%5C*`,
      ]) {
        const answer = await bridge.fetch(path);
        expect(await answer.json(), path).toMatchObject({ items: [], nextCursor: null });
      }
      for (const path of [
        '/v1/accounts/987654',
        '/v1/symbols/NOSUCH',
        '/v1/groups/nosuch',
        '/v1/deals/99999999',
        '/v1/positions/99999999',
      ]) {
        const answer = await bridge.fetch(path);
        expect(((await answer.json()) as Problem).code, path).toBe('object_not_found');
      }
    }
    simulator.reset(['switches']);
  });
});

describe('a server that answers what is not the protocol', () => {
  it.each([
    ['html', 502, {}],
    ['truncate', 502, {}],
    ['redirect', 502, {}],
    ['huge', 502, {}],
    ['wrong-length', 502, {}],
    ['status', 503, { code: 503 }],
  ])('%s → typed, not cached, and the next read is served', async (kind, status, more) => {
    const path = `/v1/symbols/USDJPY?group=real%5C${kind}`;
    simulator.fault({ kind, count: 2, command: 'symbol/get_group', ...more });
    const signIns = simulator.stats().handshakes;
    const answer = await bridge.fetch(path);
    const problem = (await answer.json()) as Problem;
    expect([502, 503, 504], `${kind} ${JSON.stringify(problem)}`).toContain(answer.status);
    if (status === 502) expect(['broker_malformed', 'session_lost']).toContain(problem.code);
    simulator.clearFaults();
    const next = await bridge.fetch('/v1/symbols/USDJPY?group=real%5Chedge-usd');
    expect(next.status).toBe(200);
    expect(simulator.stats().handshakes - signIns).toBeLessThanOrEqual(2);
  });
});
