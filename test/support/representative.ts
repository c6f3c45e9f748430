import type { Simulator } from '../simulator/server.ts';
import type { BridgeUnderTest } from './bridge.ts';
import { TradingClient } from './trading.ts';

/** Reads and writes of every kind, for holding one server or build against another. */

/** Targets whose answers do not change while nothing ticks and nobody trades. */
export function representativeReads(simulator: Simulator): string[] {
  const { books } = simulator.broker.world;
  const [order, history, deal, position] = [books.orders, books.history, books.deals, books.positions].map(
    (ledger) => ledger.of(1001).at(-1)?.ticket,
  );
  // A stretch of the past: what is now moves on.
  const span = `from=${new Date(Date.now() - 7_200_000).toISOString()}&to=${new Date(Date.now() - 3_600_000).toISOString()}`;
  return [
    '/v1/server',
    '/v1/accounts?logins=1001,1002&limit=5',
    '/v1/accounts?group=demo%5C*&limit=5',
    '/v1/accounts/1001',
    '/v1/accounts/1001/money',
    '/v1/logins?group=real%5C*',
    '/v1/accounts/1001/daily-reports?limit=3',
    '/v1/groups?limit=20',
    '/v1/groups/real%5Chedge-usd',
    '/v1/symbols?limit=50',
    '/v1/symbols/EURUSD',
    '/v1/symbols/EURUSD?group=real%5Cnetting-usd',
    '/v1/symbols/UKOIL/book',
    `/v1/symbols/EURUSD/ticks?limit=5&${span}`,
    '/v1/quotes?symbols=EURUSD,XAUUSD',
    '/v1/quotes?symbols=EURUSD,XAUUSD&group=real%5Cnetting-usd',
    '/v1/quotes?symbols=EURUSD,XAUUSD&group=real%5Chedge-usd',
    '/v1/quotes/statistics?symbols=EURUSD',
    `/v1/candles?symbol=EURUSD&timeframe=M5&limit=5&${span}`,
    '/v1/accounts/1001/positions',
    '/v1/accounts/1001/orders',
    '/v1/accounts/1001/orders/history?limit=20',
    '/v1/accounts/1001/deals?limit=20',
    '/v1/positions?logins=1001,1002',
    '/v1/orders?group=demo%5C*',
    '/v1/positions?group=demo%5C*',
    '/v1/exposure?group=demo%5C*',
    '/v1/exposure?logins=1001,1002',
    `/v1/orders/history?logins=1001,1002&limit=20`,
    `/v1/deals?logins=1001,1002&limit=20&from=${new Date(Date.now() - 3 * 86_400_000).toISOString()}`,
    `/v1/positions/${position}`,
    `/v1/orders/${order}`,
    `/v1/orders/history/${history}`,
    `/v1/deals/${deal}`,
    '/v1/accounts/1001/margin-check?symbol=EURUSD&side=buy&volume=0.1',
    '/v1/profit?group=real%5Chedge-usd&symbol=EURUSD&side=buy&volume=1&priceOpen=1.1&priceClose=1.2',
  ];
}

export interface ReadAnswer {
  readonly target: string;
  readonly status: number;
  readonly body: string;
}

/** What does not say when it was asked. */
const still = (body: string): string =>
  body.replaceAll(
    /"(?:serverTime|utcAt|utcAtMs|measuredOffsetMs|readAt|readAtMs|marginLevel)":(?:"[^"]*"|[\d.-]+)/g,
    '',
  );

export async function readsOf(bridge: BridgeUnderTest, targets: readonly string[]): Promise<ReadAnswer[]> {
  return Promise.all(
    targets.map(async (target) => {
      const answer = await bridge.fetch(target);
      return { target, status: answer.status, body: still(await answer.text()) };
    }),
  );
}

let keys = 0;

/** A market order, its change and its end; a waiting order and its end; money; a change of the account. */
export async function representativeWrites(bridge: BridgeUnderTest): Promise<[string, number, unknown][]> {
  const trader = new TradingClient(bridge);
  const answers: [string, number, unknown][] = [];
  const write = async (method: string, path: string, body: unknown): Promise<Record<string, unknown>> => {
    const answer = await trader.write(method, path, body, `representative-${keys++}`);
    answers.push([`${method} ${path}`, answer.status, answer.body]);
    return answer.body;
  };
  const market = { login: 1002, symbol: 'EURUSD', side: 'buy', type: 'market', volume: '0.02' };
  const opened = await write('POST', '/v1/orders', { ...market, login: 1001 });
  const position = (opened['order'] as { position?: string } | undefined)?.position;
  if (position !== undefined) {
    await write('PATCH', `/v1/positions/${position}`, { stopLoss: '1.00000' });
    await write('POST', `/v1/positions/${position}/close`, {});
  }
  const waiting = await write('POST', '/v1/orders', { ...market, type: 'limit', price: '1.05000' });
  const ticket = (waiting['order'] as { ticket?: string } | undefined)?.ticket;
  if (ticket !== undefined) await write('DELETE', `/v1/orders/${ticket}`, undefined);
  await write('POST', '/v1/accounts/1001/balance', { kind: 'balance', amount: '1.00' });
  await write('PATCH', '/v1/accounts/1090', { comment: 'of a test' });
  return answers;
}

/** Where two answers differ, shortly. */
export function difference(body: string, expected = ''): string {
  if (body === expected) return '';
  const at = Array.from(body).findIndex((character, i) => character !== expected[i]);
  return `${body.slice(Math.max(0, at - 60), at + 60)} ⟵ ${expected.slice(Math.max(0, at - 60), at + 60)}`;
}
