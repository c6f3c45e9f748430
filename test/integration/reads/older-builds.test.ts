import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';
import { difference, readsOf, representativeReads, representativeWrites } from '../../support/representative.ts';

/**
 * Builds that lack commands: what a route answers is the same by another documented way, or it is refused in a sentence
 * that names what is lacking (501). Nothing else that begins with a 5.
 */

let simulator: Simulator;
let targets: readonly string[];
let whole: ReadonlyMap<string, string>;

/** By family: what the bridge asks for. */
const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  time: ['server', 'get'],
  common: ['get'],
  user: ['logins', 'group', 'get', 'get_batch', 'account/get', 'account/get_batch'],
  group: ['get', 'next'],
  symbol: ['list', 'get', 'next', 'get_group'],
  tick: ['last', 'last_group', 'stat', 'history'],
  chart: ['get'],
  book: ['get', 'subscribe'],
  order: ['get', 'get_total', 'get_page', 'get_batch'],
  history: ['get', 'get_total', 'get_page', 'get_batch'],
  deal: ['get', 'get_total', 'get_page', 'get_batch'],
  position: ['get', 'get_total', 'get_page', 'get_batch'],
  daily: ['get'],
  trade: ['check_margin', 'calc_profit', 'balance', 'calc_rate_buy'],
  dealer: ['send_request', 'get_request_result'],
};
const commands = Object.entries(FAMILIES).flatMap(([family, verbs]) => verbs.map((verb) => `${family}/${verb}`));
const pairs = Object.entries(FAMILIES).flatMap(([family, verbs]) =>
  verbs.flatMap((one, i) => verbs.slice(i + 1).map((other) => `${family}/${one} ${family}/${other}`)),
);

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
  targets = representativeReads(simulator);
  const bridge = await startBridge({ simulator });
  whole = new Map((await readsOf(bridge, targets)).map(({ target, body }) => [target, body]));
  expect([...whole].filter(([, body]) => body.includes('"code"'))).toEqual([]);
  await bridge.close();
});
afterAll(() => simulator.close());

async function withoutCommands(
  missing: readonly string[],
  run: (bridge: BridgeUnderTest) => Promise<void>,
): Promise<void> {
  simulator.reset(['switches']);
  const bridge = await startBridge({ simulator });
  try {
    const bookUntilSubscribed = missing.includes('book/subscribe') ? 'full' : 'empty';
    simulator.switch({ missingCommands: [...missing], bookUntilSubscribed });
    await run(bridge);
  } finally {
    await bridge.close();
  }
}

/** What a build without these commands cannot tell, and says so: facts of the server, summer time of years past, money. */
function isOther(missing: readonly string[], target: string): boolean {
  if (target === '/v1/server' || missing.includes('time/get')) return true;
  // Nothing tells the currency of a group then, nor what else its accounts have from it.
  if (
    missing.every((command) => command.startsWith('group/')) &&
    /^\/v1\/(exposure|accounts\b(?!\/\d+\/))/.test(target)
  )
    return true;
  return missing.filter((command) => command.startsWith('user/account/')).length === 2 && target.includes('/accounts');
}

const reads = (missing: readonly string[]): Promise<void> =>
  withoutCommands(missing, async (bridge) => {
    const refused: string[] = [];
    for (const { target, status, body } of await readsOf(bridge, targets)) {
      if (status === 501) {
        refused.push(target);
        expect(JSON.parse(body)).toMatchObject({ code: 'broker_unsupported', outcome: 'refused' });
        continue;
      }
      expect([target, status, status === 200 ? '' : body]).toEqual([target, 200, '']);
      if (!isOther(missing, target)) expect([target, difference(body, whole.get(target))]).toEqual([target, '']);
    }
    const name = missing.join(' ');
    // The group's own spread is on its prices; how it is shared between bid and ask is not documented.
    const round = name === 'tick/last_group' ? ['/v1/quotes?symbols=EURUSD,XAUUSD&group=real%5Cnetting-usd'] : [];
    expect([name, refused]).toEqual([name, ROUND.includes(name) ? round : refused]);
  });

const writes = (missing: readonly string[]): Promise<void> =>
  withoutCommands(missing, async (bridge) => {
    // Prices are never too old to trade at, however long the reads took.
    await fetch(`http://${simulator.host}:${simulator.controlPort}/feed`, {
      method: 'POST',
      body: JSON.stringify({ ticksPerSecond: 20 }),
    });
    for (const [what, status, body] of await representativeWrites(bridge))
      if (status >= 500 && !ROUND.includes(missing.join(' ')))
        expect([what, status, body]).toMatchObject([what, 501, { code: 'broker_unsupported' }]);
      else expect([what, status, status < 300 ? '' : body]).toEqual([what, status, '']);
  });

/** Single commands without which every route still answers. */
const ROUND: readonly string[] = [
  'time/server',
  'time/get',
  'common/get',
  'user/logins',
  'user/group',
  'user/get',
  'user/get_batch',
  'user/account/get',
  'user/account/get_batch',
  'group/get',
  'group/next',
  'symbol/list',
  'symbol/get',
  'symbol/next',
  'tick/last_group',
  'book/subscribe',
  'order/get',
  'order/get_total',
  'order/get_page',
  'order/get_batch',
  'history/get',
  'history/get_total',
  'history/get_page',
  'history/get_batch',
  'deal/get',
  'deal/get_total',
  'deal/get_page',
  'deal/get_batch',
  'position/get',
  'position/get_total',
  'position/get_page',
  'position/get_batch',
];

// Reads first: they are compared with what the whole build answered, and orders change that.
it.each(commands)('reads without %s', (command) => reads([command]));
it.each(pairs.filter((_, i) => i % 2 === 0))('reads without %s', (pair) => reads(pair.split(' ')));
// Of the pairs every other one, and here every third: what orders read is nearly all of what the reads above did without.
it.each([...commands, ...pairs.filter((_, i) => i % 3 === 0)])('orders and money without %s', (missing) =>
  writes(missing.split(' ')),
);
