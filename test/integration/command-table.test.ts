import { afterAll, beforeAll, expect, it } from 'vitest';
import { commandRows } from '../../container/contract/docs/command-table.ts';
import { commands } from '../simulator/commands/index.ts';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { type BridgeUnderTest, startBridge } from '../support/bridge.ts';
import { walkDocument } from '../support/document-walk.ts';

/** The guides' table of commands, row by row: each documented command is typed, passed through, or neither for a reason. */

const rows = commandRows();
let simulator: Simulator;
let bridge: BridgeUnderTest;

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
  bridge = await startBridge({ simulator, env: { CACHE_SIZE: '0', RATE_LIMIT_BURST: '100000' } });
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});

it('has each documented command, and no other', () => {
  // The simulator has every command that is documented, and one of a plug-in.
  const documented = [...commands.keys(), 'auth/start', 'auth/answer', 'quit'].filter((name) => name !== 'plugin_echo');
  expect(rows.map(({ command }) => command)).toEqual(documented.sort());
});

it('has a way to each, or says why there is none', () => {
  const faults = rows.filter(
    ({ routes, passthrough, why }) => (routes.length > 0 || passthrough !== undefined) === (why !== undefined),
  );
  expect(faults).toEqual([]);
});

it('tells truly what /api/* passes through, and with which scope', async () => {
  const headers = { authorization: `Bearer ${bridge.readKey}` };
  const told = await Promise.all(
    rows.map(async ({ command }) => {
      const { code } = (await (await bridge.fetch(`/api/${command}`, { headers })).json()) as { code?: string };
      if (code === 'command_not_passed') return [command, undefined];
      return [command, code === 'scope_missing' ? 'more' : 'read'];
    }),
  );
  const scope = (passthrough: string | undefined): string | undefined =>
    passthrough === undefined || passthrough === 'read' ? passthrough : 'more';
  expect(told).toEqual(rows.map(({ command, passthrough }) => [command, scope(passthrough)]));
});

/** Documented commands whose answer the typed route has from another one. */
const ANSWERED_BY: Readonly<Record<string, string>> = {
  'group/next': 'group/get',
  'group/total': 'group/get',
  'symbol/list': 'symbol/get',
  'symbol/next': 'symbol/get',
  'symbol/total': 'symbol/get',
  // Where there are any.
  'holiday/next': 'holiday/total',
  'user/group': 'user/get',
  'user/total': 'user/logins',
  'position/get': 'position/get_batch',
  'order/cancel': 'dealer/send_request',
  'order/delete': 'dealer/send_request',
};
/** Asked by something other than the request itself: the clock by the first, a result by the write that waits for it. */
const ASKED_BEFORE: ReadonlySet<string> = new Set(['time/get', 'time/server', 'dealer/get_request_result']);
/** Forms of a route that its example does not have. */
const OTHER_FORMS: Readonly<Record<string, string>> = {
  getSymbol: '/v1/symbols/EURUSD?group=demo%5Cforex',
  listQuotes: '/v1/quotes?symbols=EURUSD&group=demo%5Cforex',
  listDeals: '/v1/deals?group=real%5C*&from=2026-11-01&to=2026-11-02',
  listOrderHistory: '/v1/orders/history?group=real%5C*&from=2026-11-01&to=2026-11-02',
  getRate: '/v1/rates?group=demo%5Cforex&symbol=EURUSD&base=EUR&currency=USD&side=sell',
};

it('the typed routes ask what the table says, and nothing that it does not have as typed', async () => {
  const counted = (): Readonly<Record<string, number>> => ({ ...simulator.stats().byCommand });
  let before = counted();
  const asked = new Map<string, Set<string>>();
  const note = (id: string): void => {
    const now = counted();
    const names = Object.keys(now).filter((name) => (now[name] ?? 0) > (before[name] ?? 0));
    asked.set(id, new Set([...(asked.get(id) ?? []), ...names]));
    before = now;
  };
  const { operations } = (await (await bridge.fetch('/v1/capabilities')).json()) as { operations: string[] };
  before = counted();
  for await (const { route } of walkDocument(bridge, ({ id }) => operations.includes(id))) note(route.id);
  for (const [id, target] of Object.entries(OTHER_FORMS)) {
    expect([target, (await bridge.fetch(target)).status]).toEqual([target, 200]);
    note(id);
  }

  const typed = rows.filter(({ routes }) => routes.length > 0);
  const untrue = typed.filter(({ command, routes }) => {
    const name = ANSWERED_BY[command] ?? command;
    return !ASKED_BEFORE.has(command) && !routes.some(({ id }) => asked.get(id)?.has(name));
  });
  expect(untrue.map(({ command }) => command)).toEqual([]);
  const known = new Set([...typed.map(({ command }) => command), 'auth/start', 'auth/answer']);
  expect([...asked.values()].flatMap((names) => [...names]).filter((name) => !known.has(name))).toEqual([]);
}, 90_000);
