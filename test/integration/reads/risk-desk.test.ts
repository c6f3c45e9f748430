import { afterAll, beforeAll, expect, it } from 'vitest';
import { createBridgeClient, type BridgeClient } from '../../../container/client/index.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { startBridge, keyRecord, type BridgeUnderTest } from '../../support/bridge.ts';

/** Whole books in one request: lists as lines, exposure, accounts by their money. */

const MASKED = 'mt5b_masked-for-tests-only';
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

type Row = Record<string, unknown>;
const lines = async (path: string, headers: Record<string, string> = {}): Promise<Row[]> => {
  const answer = await bridge.fetch(path, { headers: { accept: 'application/x-ndjson', ...headers } });
  expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
  return (await answer.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
};
const page = async (path: string): Promise<{ items: Row[]; readAtMs: number }> =>
  (await (await bridge.fetch(path)).json()) as { items: Row[]; readAtMs: number };

it('every account with its money is a line, and the last one says that it was all', async () => {
  const rows = await lines('/v1/accounts?group=*');
  const end = rows.pop();
  expect(end).toMatchObject({ end: true, items: rows.length });
  expect(Date.parse(String(end?.['readAt']))).toBe(end?.['readAtMs']);
  const { items, readAtMs } = await page('/v1/accounts?group=*&limit=1000');
  expect(rows).toEqual(items);
  expect(Math.abs(Date.now() - readAtMs)).toBeLessThan(60_000);
});

it('as many accounts can be named as the URL takes', async () => {
  const logins = Array.from({ length: 2000 }, (_, i) => 1001 + i).join(',');
  const { items } = await page(`/v1/positions?logins=${logins}&limit=1000`);
  expect(items).toEqual((await page('/v1/positions?group=*&limit=1000')).items);
  const tooLong = await bridge.fetch(`/v1/positions?logins=${logins},${logins.slice(0, 4499)}`);
  expect(await tooLong.json()).toMatchObject({ code: 'uri_too_long' });
});

it('every position is a line; decimals are written as asked', async () => {
  const rows = await lines('/v1/positions?group=real%5C*&decimals=number&symbol=EURUSD');
  expect(rows.pop()).toMatchObject({ end: true });
  const { items } = await page('/v1/positions?group=real%5C*&limit=1000&decimals=number&symbol=EURUSD');
  const byTicket = (a: Row, b: Row): number => Number(a['ticket']) - Number(b['ticket']);
  expect(rows.sort(byTicket)).toEqual(items.sort(byTicket));
  expect(typeof rows[0]?.['volume']).toBe('number');
});

it('a list that breaks off says so in its last line; what fails at once is a problem', async () => {
  const cursor = await bridge.fetch('/v1/accounts?group=*&cursor=x', { headers: { accept: 'application/x-ndjson' } });
  expect(cursor.status).toBe(422);
  const neither = await bridge.fetch('/v1/positions', { headers: { accept: 'application/x-ndjson' } });
  expect(await neither.json()).toMatchObject({ code: 'invalid_field', field: 'query.logins' });
  simulator.fault({ kind: 'status', code: 503, command: 'position/get_batch', count: 1 });
  const refused = await bridge.fetch('/v1/positions?group=*', { headers: { accept: 'application/x-ndjson' } });
  expect(refused.status).toBeGreaterThanOrEqual(500);
  expect(refused.headers.get('content-type')).toContain('application/problem+json');
});

it('the client reads lines, and takes no list for whole that broke off', async () => {
  const client = (send?: (request: Request) => Promise<Response>): BridgeClient =>
    createBridgeClient({ baseUrl: bridge.url, key: bridge.readKey, retries: 0, ...(send ? { fetch: send } : {}) });
  const query = { group: '*' };
  const logins = async (from: BridgeClient): Promise<number[]> => {
    const found: number[] = [];
    for await (const { login } of from.lines('/v1/accounts', { query })) found.push(login);
    return found;
  };
  const { items } = await page('/v1/accounts?group=*&limit=1000');
  expect(await logins(client())).toEqual(items.map(({ login }) => login));
  const cut = client(async (request) => {
    const whole = await (await fetch(request)).text();
    return new Response(whole.slice(0, whole.lastIndexOf('\n', whole.length - 2) + 1));
  });
  await expect(logins(cut)).rejects.toThrow('was cut after');
  const broken = client(async () => {
    const problem = {
      status: 502,
      code: 'session_lost',
      detail: 'The session was lost.',
      retry: 'yes',
      outcome: 'not_sent',
    };
    return new Response(`{"login":1001}\n${JSON.stringify({ end: false, items: 1, problem })}\n`);
  });
  await expect(logins(broken)).rejects.toMatchObject({ code: 'session_lost' });
});

it('exposure is the sum of the positions', async () => {
  const { items } = await page('/v1/exposure?group=real%5C*');
  const positions = (await page('/v1/positions?group=real%5C*&limit=1000')).items;
  const lots = (of: readonly Row[]): number => of.reduce((sum, { volume }) => sum + Number(volume), 0);
  const symbols = new Set(positions.map(({ symbol }) => symbol));
  expect(new Set(items.map(({ symbol }) => symbol))).toEqual(symbols);
  for (const symbol of symbols) {
    const own = positions.filter((position) => position['symbol'] === symbol);
    const summed = items.filter((item) => item['symbol'] === symbol);
    const sum = (name: string): number => summed.reduce((total, item) => total + Number(item[name]), 0);
    expect(sum('longLots')).toBeCloseTo(lots(own.filter(({ side }) => side === 'buy')), 8);
    expect(sum('netLots')).toBeCloseTo(sum('longLots') - sum('shortLots'), 8);
    expect(sum('profit')).toBeCloseTo(
      own.reduce((total, { profit }) => total + Number(profit), 0),
      6,
    );
    expect(sum('accounts')).toBe(new Set(own.map(({ login }) => login)).size);
  }
  expect(summedCurrencies(items)).not.toContain(null);
});
const summedCurrencies = (items: readonly Row[]): unknown[] => items.map(({ currency }) => currency);

it('accounts are found by their money', async () => {
  const all = (await page('/v1/accounts?group=*&limit=1000')).items;
  const money = (row: Row): Row => (row['money'] ?? {}) as Row;
  const levels = all.map((row) => Number(money(row)['marginLevel'] ?? 0)).filter((level) => level > 0);
  const bound = levels.sort((a, b) => a - b)[Math.floor(levels.length / 2)] ?? 0;
  const { items } = await page(`/v1/accounts?group=*&limit=1000&marginLevelBelow=${bound.toFixed(2)}`);
  const expected = all.filter(
    (row) => Number(money(row)['margin']) > 0 && Number(money(row)['marginLevel']) < Number(bound.toFixed(2)),
  );
  expect(expected.length).toBeGreaterThan(0);
  expect(items.map(({ login }) => login)).toEqual(expected.map(({ login }) => login));
  expect((await lines(`/v1/accounts?group=*&marginLevelBelow=${bound.toFixed(2)}`)).length).toBe(expected.length + 1);
  const poor = await page('/v1/accounts?group=*&limit=1000&equityBelow=0');
  expect(poor.items.map(({ login }) => login)).toEqual(
    all.filter((row) => Number(money(row)['equity']) < 0).map(({ login }) => login),
  );
});

it('a key with a mask sees its own accounts only', async () => {
  const keys = [await keyRecord('masked', MASKED, ['read'], '1001-1003')];
  const masked = await startBridge({ simulator, env: { BRIDGE_API_KEYS: JSON.stringify(keys) } });
  const get = (path: string): Promise<Response> =>
    masked.fetch(path, { headers: { 'x-api-key': MASKED, accept: 'application/x-ndjson, application/json' } });
  const accounts = (await (await get('/v1/accounts?group=*')).text()).trimEnd().split('\n');
  expect(accounts.slice(0, -1).map((line) => (JSON.parse(line) as Row)['login'])).toEqual([1001, 1002, 1003]);
  const positions = (await (await get('/v1/positions?group=*')).text()).trimEnd().split('\n').slice(0, -1);
  expect(new Set(positions.map((line) => (JSON.parse(line) as Row)['login']))).toEqual(new Set([1001, 1002, 1003]));
  const own = (await (await get('/v1/exposure?group=*')).json()) as { items: { accounts: number }[] };
  expect(Math.max(...own.items.map(({ accounts: count }) => count))).toBeLessThanOrEqual(3);
  await masked.close();
});
