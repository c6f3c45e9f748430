import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStream } from '../../container/client/streams.ts';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { type BridgeUnderTest, startBridge } from '../support/bridge.ts';
import { walkDocument } from '../support/document-walk.ts';
import { difference, readsOf, representativeReads, representativeWrites } from '../support/representative.ts';
import { startStyledServer, type Style } from '../support/styled-server.ts';
import { QUICK_SETTLE, QUICK_SIGN_IN } from '../support/trading.ts';

/** The bridge against access servers that speak in other ways than the simulator: the same answers, orders and streams. */

let simulator: Simulator;
let targets: readonly string[];
let usual: ReadonlyMap<string, string>;

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
  targets = representativeReads(simulator);
  const bridge = await startBridge({ simulator });
  usual = new Map((await readsOf(bridge, targets)).map(({ target, body }) => [target, body]));
  await bridge.close();
});
afterAll(() => simulator.close());

const STYLES: Readonly<Record<string, Style>> = {
  'lower case': { lowerCase: true },
  'flat answers, the retcode last': { flat: true },
  'chunks with extensions and trailers, cookies, 100 Continue unasked': {
    chunks: true,
    cookies: true,
    unaskedContinue: true,
  },
  'refusals as 4xx': { errorStatus: 400 },
  'an older build in lower case': {
    lowerCase: true,
    flat: true,
    chunks: true,
    cookies: true,
    missing: [
      'user/group',
      'common/get',
      'user/get_batch',
      'order/get_batch',
      'deal/get_batch',
      'position/get_batch',
      'history/get_batch',
      'user/account/get_batch',
    ],
  },
};

async function through(style: Style, run: (bridge: BridgeUnderTest) => Promise<void>): Promise<void> {
  const server = await startStyledServer(simulator, style);
  const bridge = await startBridge({ simulator: server, settle: QUICK_SETTLE, signIn: QUICK_SIGN_IN });
  try {
    await run(bridge);
  } finally {
    await bridge.close();
    await server.close();
  }
}

/** What the bridge passes on unread (`extra`, rows of daily reports) has the names that the server gave. */
const alike = (body: string): string => body.replaceAll(/"\w+":/gu, (name) => name.toLowerCase());

async function sameAnswers(bridge: BridgeUnderTest, style: Style): Promise<void> {
  for (const { target, status, body } of await readsOf(bridge, targets)) {
    expect([target, status, status === 200 ? '' : body]).toEqual([target, 200, '']);
    if (target !== '/v1/server' || !style.missing)
      expect([target, difference(alike(body), alike(usual.get(target) ?? ''))]).toEqual([target, '']);
  }
}

// Reads first: orders change what they are compared with.
it.each(Object.entries(STYLES))('%s: every read answers the same', (_name, style) =>
  through(style, (bridge) => sameAnswers(bridge, style)),
);

it('connections that end after three answers: every read answers the same', () =>
  through({ closeAfter: 3 }, async (bridge) => {
    // A subscription to a book is one connection's.
    simulator.switch({ bookUntilSubscribed: 'full' });
    await sameAnswers(bridge, {});
    simulator.reset(['switches']);
  }));

it('bodies that end with the connection', () =>
  through({ closeDelimited: ['chart/get', 'user/get', 'symbol/get'] }, (bridge) => sameAnswers(bridge, {})));

it.each(Object.entries(STYLES))('%s: orders and money', (_name, style) =>
  through(style, async (bridge) => {
    for (const [what, status, body] of await representativeWrites(bridge))
      expect([what, status, status < 300 ? '' : body]).toEqual([what, status, '']);
  }),
);

it('a connection that ends after every seventh answer: each order is executed once, or known not to be', () =>
  through({ closeAfter: 7 }, async (bridge) => {
    const mutations = simulator.stats().mutations;
    const writes = await representativeWrites(bridge);
    for (const [what, status, body] of writes)
      if (status >= 300) expect([what, status, body]).toMatchObject([what, 503, { outcome: 'not_sent' }]);
    expect(simulator.stats().mutations - mutations).toBeLessThanOrEqual(writes.length);
  }));

/** Of the topic itself. */
async function nextOf(stream: AsyncIterator<{ readonly type: string }, undefined>): Promise<unknown> {
  for (;;) {
    const { value } = await stream.next();
    if (value?.type !== 'system') return value;
  }
}

it.each(Object.entries(STYLES))('%s: streams of prices and deals', (_name, style) =>
  through(style, async (bridge) => {
    const options = { baseUrl: bridge.url, key: bridge.readKey };
    const ticks = openStream('ticks', { symbols: ['EURUSD'] }, options);
    const deals = openStream('deals', { logins: [1001] }, options);
    expect(await nextOf(ticks)).toMatchObject({ type: 'snapshot', data: [{ symbol: 'EURUSD' }] });
    expect(await nextOf(deals)).toMatchObject({ type: 'snapshot' });
    const { broker } = simulator;
    broker.world.market.set('EURUSD', broker.clock.nowMs(), 115_290, 115_300);
    expect(await nextOf(ticks)).toMatchObject({ type: 'delta', data: [{ bid: '1.15290', ask: '1.15300' }] });
    await representativeWrites(bridge);
    expect(await nextOf(deals)).toMatchObject({
      type: 'delta',
      data: expect.arrayContaining([expect.objectContaining({ login: 1001 })]),
    });
    await ticks.return?.();
    await deals.return?.();
  }),
);

// Last: its writes are those of the document, deleted accounts among them.
it('an older build in lower case: every path of the published document', () => {
  const style = STYLES['an older build in lower case'] ?? {};
  return through(style, async (bridge) => {
    const { operations } = (await (await bridge.fetch('/v1/capabilities')).json()) as { operations: string[] };
    const served = new Set(operations);
    let answered = 0;
    for await (const { route, target, status, faults } of walkDocument(bridge, ({ id }) => served.has(id))) {
      expect([route.id, target, status, faults]).toEqual([
        route.id,
        target,
        expect.toSatisfy((code: number) => code < 500 || code === 501),
        [],
      ]);
      if (route.method === 'GET' && status === route.status) answered++;
    }
    expect(answered).toBeGreaterThan(33);
  });
});
