import { BridgeError } from '../../contract/errors.ts';
import { parseMask } from '../../contract/masks.ts';
import { RETCODE } from '../../webapi/retcodes.ts';
import { Fields, payload, payloadObjects, type WireObject, type WireValue } from '../../webapi/fields.ts';
import type { BrokerReply, Query } from './broker.ts';
import { untilEmpty } from './pages.ts';

/**
 * Other documented ways to what a build without some command is asked for (mt5-webapi §3). The answer has the form of the
 * one that is missing; `undefined` = 13 Not found.
 */
export type Detour = (query: ReadonlyMap<string, string>, ask: Ask) => Promise<WireValue | undefined>;
/** A judged read; 13 is an answer. @throws BridgeError */
export type Ask = (path: string, query: Query) => Promise<BrokerReply>;

/** Questions of a detour that are under way at one time: others wait for the sessions too. */
const AT_ONCE = 8;
/** What the documents allow at least (mt5-webapi §3.6). */
const PAGE_ROWS = 100;
/** Objects of one `next`; a build that knows no `count` answers with one. */
const NEXT_COUNT = 500;
/** Beyond what any server has: only one that ignores `index` or `offset` gets here. */
const MOST_QUESTIONS = 20_000;

const found = (reply: BrokerReply): boolean => reply.retcode !== RETCODE.ERR_NOTFOUND;
const answerOf = (reply: BrokerReply): WireValue | undefined => (found(reply) ? payload(reply.body) : undefined);
const rowsOf = (reply: BrokerReply): readonly WireObject[] => (found(reply) ? payloadObjects(reply.body) : []);
const textOf = (row: WireObject, name: string): string | undefined => new Fields(row).text(name);
const only = (query: ReadonlyMap<string, string>, ...names: readonly string[]): Query =>
  [...query].filter(([name]) => names.includes(name));

/** One by one for the first, so that what cannot be asked at all costs one question; a few at once from there. */
async function each<Item, Found>(items: readonly Item[], ask: (item: Item) => Promise<Found>): Promise<Found[]> {
  const [first, ...rest] = items;
  if (first === undefined) return [];
  const results = [await ask(first)];
  for (let at = 0; at < rest.length; at += AT_ONCE)
    results.push(...(await Promise.all(rest.slice(at, at + AT_ONCE).map((item) => ask(item)))));
  return results;
}

/** `login=a,b`, or those of `group`. */
async function loginsOf(query: ReadonlyMap<string, string>, ask: Ask): Promise<readonly string[]> {
  const named = query.get('login');
  if (named !== undefined) return named.split(',');
  const reply = await ask('user/logins', only(query, 'group'));
  const value = found(reply) ? payload(reply.body) : [];
  return Array.isArray(value) ? value.filter((login): login is string => typeof login === 'string') : [];
}

/** Single objects in place of a batch; logins without one are left out, as a batch does. */
const oneByOne =
  (path: string): Detour =>
  async (query, ask) => {
    const replies = await each(await loginsOf(query, ask), (login) => ask(path, [['login', login]]));
    return replies.flatMap((reply) => rowsOf(reply).slice(0, 1));
  };

/** The batch in place of a single object. */
const fromBatch =
  (path: string, key: string): Detour =>
  async (query, ask) => {
    const [name = '', value = ''] = [...query][0] ?? [];
    return rowsOf(await ask(path, [[name, value]])).find((row) => textOf(row, key) === value);
  };

/** Every row of a login. */
const pagesOf = (kind: string, query: Query, ask: Ask): Promise<readonly WireObject[]> => {
  const path = `${kind}/get_page`;
  const page = (offset: number): Query => [...query, ['offset', String(offset)], ['total', String(PAGE_ROWS)]];
  return untilEmpty(async (offset) => rowsOf(await ask(path, page(offset))), MOST_QUESTIONS, path);
};

/** Pages of each login, or each ticket by itself. */
const batchOf =
  (kind: 'order' | 'history' | 'deal' | 'position', key: string): Detour =>
  async (query, ask) => {
    const tickets = query.get('ticket');
    if (tickets !== undefined && kind === 'position')
      return (await each(tickets.split(','), (ticket) => positionOf(ticket, ask))).flat();
    if (tickets !== undefined) {
      const replies = await each(tickets.split(','), (ticket) => ask(`${kind}/get`, [['ticket', ticket]]));
      return replies.flatMap((reply) => rowsOf(reply).filter((row) => textOf(row, key) !== undefined));
    }
    const window = only(query, 'from', 'to');
    const logins = await loginsOf(query, ask);
    const pages = await each(logins, (login) => pagesOf(kind, [['login', login], ...window], ask));
    const symbol = query.get('symbol');
    return pages.flat().filter((row) => symbol === undefined || textOf(row, 'Symbol') === symbol);
  };

/**
 * A position has the number of the order that opened it: that order tells the login, whose positions are read.
 * @throws BridgeError `broker_unsupported` where no such order tells
 */
async function positionOf(ticket: string, ask: Ask): Promise<readonly WireObject[]> {
  const [order] = rowsOf(await ask('history/get', [['ticket', ticket]]));
  const login = order && textOf(order, 'Login');
  if (login === undefined)
    throw new BridgeError(
      'broker_unsupported',
      `This build of the server has no position/get_batch, and no order tells whose position ${ticket} is: ask by login.`,
    );
  const positions = await pagesOf('position', [['login', login]], ask);
  return positions.filter((row) => textOf(row, 'Position') === ticket);
}

/** A part of the batch in place of a page. */
const pageOf =
  (kind: string): Detour =>
  async (query, ask) => {
    const rows = rowsOf(await ask(`${kind}/get_batch`, only(query, 'login', 'from', 'to')));
    const offset = Number(query.get('offset') ?? 0);
    return rows.slice(offset, offset + Number(query.get('total') ?? rows.length));
  };

/** Everything of a configuration, in its order. */
const allOf = (path: string, ask: Ask): Promise<readonly WireObject[]> => {
  const next = (index: number): Query => [
    ['index', String(index)],
    ['count', String(NEXT_COUNT)],
  ];
  return untilEmpty(async (index) => rowsOf(await ask(path, next(index))), MOST_QUESTIONS, path);
};

/** One object by name, or those of a mask, out of everything. */
const outOfAll =
  (path: string, key: string, name: string, ...paths: readonly string[]): Detour =>
  async (query, ask) => {
    const rows = await allOf(path, ask);
    const asked = query.get(key);
    if (asked !== undefined) return rows.find((row) => textOf(row, name) === asked);
    const mask = parseMask(query.get('mask') ?? '*');
    return rows.filter((row) => [name, ...paths].some((field) => mask.matches(textOf(row, field) ?? '')));
  };

/**
 * Prices of a group are those of the market where the group adds nothing to the spread. Where it does, how the difference
 * is shared between bid and ask is not documented, and a price that was guessed is no price to trade at.
 */
const groupTicks: Detour = async (query, ask) => {
  const group = query.get('group') ?? '';
  const names = (query.get('symbol') ?? '').split(',');
  for (const symbol of names) {
    const [record] = rowsOf(
      await ask('symbol/get_group', [
        ['symbol', symbol],
        ['group', group],
      ]),
    );
    const fields = new Fields(record ?? {});
    if ((fields.integer('SpreadDiff') ?? 0) === 0 && (fields.integer('SpreadDiffBalance') ?? 0) === 0) continue;
    throw new BridgeError(
      'broker_unsupported',
      `This build of the server has no tick/last_group, and ${group} has a spread of its own on ${symbol}: its prices cannot be known.`,
    );
  }
  return answerOf(await ask('tick/last', only(query, 'symbol', 'trans_id')));
};

export const DETOURS: Readonly<Record<string, Detour>> = {
  'user/get': fromBatch('user/get_batch', 'Login'),
  'user/get_batch': oneByOne('user/get'),
  'user/account/get': fromBatch('user/account/get_batch', 'Login'),
  'user/account/get_batch': oneByOne('user/account/get'),
  'user/group': async (query, ask) => {
    const [user] = rowsOf(await ask('user/get', [...query]));
    const group = user && textOf(user, 'Group');
    return group === undefined ? undefined : { Group: group };
  },
  'user/logins': async (query, ask) =>
    rowsOf(await ask('user/get_batch', [...query])).flatMap((user) => textOf(user, 'Login') ?? []),
  'group/get': outOfAll('group/next', 'group', 'Group'),
  'symbol/get': outOfAll('symbol/next', 'symbol', 'Symbol', 'Path'),
  'tick/last_group': groupTicks,
  'order/get': fromBatch('order/get_batch', 'Order'),
  'order/get_page': pageOf('order'),
  'order/get_batch': batchOf('order', 'Order'),
  'history/get': fromBatch('history/get_batch', 'Order'),
  'history/get_page': pageOf('history'),
  'history/get_batch': batchOf('history', 'Order'),
  'deal/get': fromBatch('deal/get_batch', 'Deal'),
  'deal/get_page': pageOf('deal'),
  'deal/get_batch': batchOf('deal', 'Deal'),
  'position/get_page': pageOf('position'),
  'position/get_batch': batchOf('position', 'Position'),
  'daily/get': async (query, ask) => answerOf(await ask('daily/get_batch', [...query])),
  // What these tell is done without: facts about the server are then null, the end of a list is an empty page.
  'common/get': async () => ({}),
  ...Object.fromEntries(
    ['order', 'history', 'deal', 'position'].map((kind) => [`${kind}/get_total`, async () => ({})]),
  ),
};
