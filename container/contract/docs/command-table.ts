import { COMMANDS } from '../commands.ts';
import type { Scope } from '../keys.ts';
import { ROUTES, type Route } from '../routes.ts';

/** Each command that the MT5 Web API documents, and the way to it through the bridge. A test holds it to what is true. */
export interface CommandRow {
  /** Without `/api/`. */
  readonly command: string;
  /** Typed routes that give the same or do the same. */
  readonly routes: readonly Route[];
  /** The scope with which `/api/*` passes it through; `undefined` = it does not. */
  readonly passthrough: Scope | undefined;
  /** Why there is no way to it. */
  readonly why: string | undefined;
}

const TRADES = [
  'placeOrder',
  'modifyOrder',
  'cancelOrder',
  'modifyPosition',
  'closePosition',
  'closePositionBy',
  'closePositions',
  'cancelOrders',
  'closePositionsOfMany',
  'cancelOrdersOfMany',
  'liquidateAccount',
] as const;

const TYPED: Readonly<Record<string, readonly Route['id'][]>> = {
  'test/access': ['testConnection'],
  'common/get': ['getServer'],
  'time/server': ['getServer'],
  'time/get': ['getServer'],
  'group/total': ['listGroups'],
  'group/next': ['listGroups'],
  'group/get': ['getGroup', 'listGroups'],
  'symbol/total': ['listSymbols'],
  'symbol/list': ['listSymbols'],
  'symbol/next': ['listSymbols'],
  'symbol/get': ['getSymbol', 'listSymbols'],
  'symbol/get_group': ['getSymbol'],
  'user/total': ['listLogins'],
  'user/logins': ['listLogins'],
  'user/group': ['getAccount'],
  'user/get': ['getAccount'],
  'user/get_batch': ['listAccounts'],
  'user/account/get': ['getMoney'],
  'user/account/get_batch': ['listAccounts'],
  'user/add': ['createAccount'],
  'user/update': ['updateAccount', 'enableAccount', 'disableAccount', 'changeAccountGroup'],
  'user/delete': ['deleteAccount'],
  'user/check_password': ['checkPassword', 'openSession'],
  'user/change_password': ['changePassword'],
  'tick/last': ['listQuotes'],
  'tick/last_group': ['listQuotes'],
  'tick/stat': ['listQuoteStatistics'],
  'tick/history': ['listTicks'],
  'chart/get': ['listCandles'],
  'book/get': ['getBook'],
  'book/subscribe': ['getBook'],
  'order/get': ['getOrder'],
  'order/get_total': ['listAccountOrders'],
  'order/get_page': ['listAccountOrders'],
  'order/get_batch': ['listOrders'],
  'order/cancel': ['cancelOrder', 'cancelOrders'],
  'history/get': ['getHistoryOrder'],
  'history/get_total': ['listAccountOrderHistory'],
  'history/get_page': ['listAccountOrderHistory'],
  'history/get_batch': ['listOrderHistory'],
  'deal/get': ['getDeal'],
  'deal/get_total': ['listAccountDeals'],
  'deal/get_page': ['listAccountDeals'],
  'deal/get_batch': ['listDeals'],
  'position/get': ['getPosition', 'listAccountPositions'],
  'position/get_total': ['listAccountPositions'],
  'position/get_page': ['listAccountPositions'],
  'position/get_batch': ['listPositions', 'getExposure'],
  'trade/balance': ['changeBalance'],
  'trade/calc_rate_buy': ['getRate'],
  'trade/calc_rate_sell': ['getRate'],
  'trade/check_margin': ['checkMargin'],
  'trade/calc_profit': ['calculateProfit'],
  'dealer/send_request': TRADES,
  'dealer/get_request_result': ['getOperation'],
  'daily/get': ['listDailyReports'],
  'daily/get_batch': ['listDailyReportsOfMany'],
  'holiday/total': ['getSymbolHours'],
  'holiday/next': ['getSymbolHours'],
};

const SIGN_IN = 'the bridge signs in and out itself: a session belongs to a connection, and callers share it';
const NOT_PASSED: Readonly<Record<string, string>> = {
  'auth/start': SIGN_IN,
  'auth/answer': SIGN_IN,
  quit: SIGN_IN,
  'test/trade': 'reserved: the documents name it and say nothing of what it does',
  'time/set': 'the clock is the measure of every instant that the bridge has told',
  'common/set': 'the licence and name of the server are its owner’s',
  'server/restart': 'it ends every session of everybody',
};

const routeById = new Map<string, Route>(ROUTES.map((route) => [route.id, route]));

/** In the order of the commands' names. */
export function commandRows(): readonly CommandRow[] {
  return [...new Set([...COMMANDS.keys(), ...Object.keys(NOT_PASSED)])].sort().map((command) => ({
    command,
    routes: (TYPED[command] ?? []).flatMap((id) => routeById.get(id) ?? []),
    passthrough: COMMANDS.get(command)?.scope,
    why: NOT_PASSED[command],
  }));
}
