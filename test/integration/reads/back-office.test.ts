import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { type BridgeUnderTest, startBridge } from '../../support/bridge.ts';
import { TradingClient } from '../../support/trading.ts';

/** What a back office looks for: accounts by their records, books in the order that it wants, statements. */

let simulator: Simulator;
let bridge: BridgeUnderTest;
let client: TradingClient;
beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
  bridge = await startBridge({ simulator });
  client = new TradingClient(bridge);
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});

type Row = Record<string, unknown>;
interface List {
  readonly items: readonly Row[];
  readonly nextCursor: string | null;
  readonly resumeCursor?: string | null;
  readonly field?: string;
}
const list = async (path: string): Promise<List> => (await (await bridge.fetch(path)).json()) as List;
async function everyPage(path: string): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: List = await list(path + (cursor === '' ? '' : `&cursor=${cursor}`));
    rows.push(...page.items);
    cursor = page.nextCursor;
  }
  return rows;
}
const of = (rows: readonly Row[], name: string): unknown[] => rows.map((row) => row[name]);

describe('accounts', () => {
  it('have currency, hedging or netting, margin call and stop-out; a trader reads them of its own', async () => {
    const hedge = { currency: 'USD', positionMode: 'hedging', marginMode: 'retail_hedged', stopOutMode: 'percent' };
    const group = simulator.broker.world.books.groups.get('real\\hedge-usd');
    const login = [...simulator.broker.world.books.users.values()].find((user) => user.group === group?.name)?.login;
    const opened = await bridge.fetch('/v1/sessions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ login, password: `Client${login}!` }),
    });
    const { token } = (await opened.json()) as { token: string };
    const own = await fetch(`${bridge.url}/v1/accounts/${login}`, { headers: { authorization: `Bearer ${token}` } });
    const account = (await own.json()) as Row;
    const wire = (await (await bridge.fetch('/api/group/get?group=real%5Chedge-usd')).json()) as { answer: Row };
    expect(account).toMatchObject(hedge);
    expect(Number(account['marginCall'])).toBe(Number(wire.answer['MarginCall']));
    expect(Number(account['marginStopOut'])).toBe(Number(wire.answer['MarginStopOut']));
    // More groups than are asked for one by one.
    const modes = new Map((await list('/v1/accounts?group=*&limit=1000')).items.map((row) => [row['group'], row]));
    expect(modes.size).toBeGreaterThan(7);
    expect(modes.get('real\\hedge-usd')).toMatchObject(hedge);
    expect(modes.get('real\\netting-usd')).toMatchObject({ positionMode: 'netting', currency: 'USD' });
    expect(modes.get('demo\\forex-jpy')).toMatchObject({ currency: 'JPY' });
  });

  it('are found by name, e-mail, phone, external account and comment', async () => {
    const mark = { externalAccount: 'CRM-4711', comment: 'Blue Whale', phone: '+44 (20) 7946-0123' };
    expect((await client.write('PATCH', '/v1/accounts/1005', mark, 'mark-1005')).status).toBe(200);
    const { email, name } = (await (await bridge.fetch('/v1/accounts/1005')).json()) as { email: string; name: string };
    const found = async (query: string): Promise<unknown[]> =>
      of((await list(`/v1/accounts?group=*&${query}`)).items, 'login');
    expect(await found(`email=${email.toUpperCase()}`)).toEqual([1005]);
    expect(await found(`phone=${encodeURIComponent('0044 20 79460123'.replace('0044', '44'))}`)).toEqual([1005]);
    expect(await found('externalAccount=crm-47')).toEqual([1005]);
    expect(await found('comment=blue%20whale')).toEqual([1005]);
    expect(await found(`name=${encodeURIComponent(name.slice(0, 5).toLowerCase())}`)).toContain(1005);
    expect(await found('comment=blue&equityBelow=-1')).toEqual([]);
    expect(await found('comment=nothing-like-it')).toEqual([]);
    expect((await list('/v1/accounts?logins=1001,1005&comment=blue')).items).toHaveLength(1);
    expect((await list('/v1/accounts?group=*&comment=%20')).field).toBe('query.comment');
  });
});

describe('deals', () => {
  const since = `from=${new Date(Date.now() - 20 * 86_400_000).toISOString()}`;
  const all = `/v1/accounts/1001/deals?${since}&limit=1000`;
  const inPages = all.replace('limit=1000', 'limit=10');

  it('come newest first, page by page the same as oldest first', async () => {
    const oldest = await everyPage(inPages);
    expect(oldest.length).toBeGreaterThan(30);
    expect(of(await everyPage(`${inPages}&newestFirst=true`), 'ticket')).toEqual(of(oldest, 'ticket').reverse());
    const [last] = (await list('/v1/accounts/1001/deals?limit=1&newestFirst=true')).items;
    expect(last).toEqual(oldest.at(-1));
    const { nextCursor } = await list(inPages);
    expect((await list(`${inPages}&newestFirst=true&cursor=${nextCursor}`)).field).toBe('query.cursor');
  });

  it('of a position, an order, or that open or close', async () => {
    const rows = await everyPage(all);
    const closing = rows.findLast(({ entry }) => entry === 'out') as { position: string; order: string };
    const { position, order } = closing;
    const only = (name: string, value: unknown): unknown[] =>
      of(
        rows.filter((row) => row[name] === value),
        'ticket',
      );
    expect(of(await everyPage(`${all}&position=${position}`), 'ticket')).toEqual(only('position', position));
    expect(of(await everyPage(`${all}&order=${order}`), 'ticket')).toEqual(only('order', order));
    expect(of(await everyPage(`${all}&entry=out`), 'ticket')).toEqual(only('entry', 'out'));
    expect(of(await everyPage(`${all}&entry=out&newestFirst=true`), 'ticket')).toEqual(only('entry', 'out').reverse());
    const history = await everyPage(`/v1/accounts/1001/orders/history?limit=500&position=${position}`);
    expect(new Set(of(history, 'position'))).toEqual(new Set([position]));
    expect(rows[0]).toMatchObject({ magic: 0 });
  });

  it('end with a cursor for those that come later', async () => {
    const start = `/v1/accounts/1002/deals?from=${new Date(Date.now() - 3_600_000).toISOString()}`;
    const { items, nextCursor, resumeCursor } = await list(`${start}&limit=1000`);
    expect(nextCursor).toBeNull();
    const on = resumeCursor ? `&cursor=${resumeCursor}` : '';
    const { body } = await client.balance('later', '5.00', 1002);
    const later = await list(start + on);
    expect(of(later.items, 'ticket').slice(resumeCursor ? 0 : items.length)).toEqual([body['deal']]);
    const end = await list(`${start}&cursor=${later.resumeCursor}`);
    expect(end).toMatchObject({ items: [], nextCursor: null, resumeCursor: later.resumeCursor });
    expect((await list('/v1/accounts/1002/deals?newestFirst=true&limit=1')).resumeCursor).toBeNull();
  });

  it('of a group come in order of time', async () => {
    const group = `/v1/deals?group=real%5C*&${since}&limit=200`;
    const byLogin = await everyPage(group);
    const byTime = await everyPage(`${group}&sort=time`);
    expect(byTime).toHaveLength(byLogin.length);
    expect(new Set(of(byTime, 'login')).size).toBeGreaterThan(2);
    const times = of(byTime, 'executedAtMs') as number[];
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(new Set(of(byTime, 'ticket'))).toEqual(new Set(of(byLogin, 'ticket')));
    expect(of(await everyPage(`${group}&sort=time&newestFirst=true`), 'ticket')).toEqual(
      of(byTime, 'ticket').reverse(),
    );
    expect((await list('/v1/deals?group=*&sort=time')).field).toBe('query.from');
    expect((await list('/v1/deals?group=*&sort=time&from=2020-01-01')).field).toBe('query.from');
    expect((await list(`/v1/deals?group=*&newestFirst=true&${since}`)).field).toBe('query.newestFirst');
    const page = await list(`${group}&sort=time`);
    expect(page.resumeCursor).toBe(page.nextCursor);
  });
});

it('a list of the past is not sent twice to who has it', async () => {
  for (const path of ['/v1/accounts/1001/deals?limit=20', '/v1/daily-reports?logins=1001,1002&limit=5']) {
    const first = await bridge.fetch(path);
    const known = { headers: { 'if-none-match': first.headers.get('etag') ?? '' } };
    expect((await first.text()).length).toBeGreaterThan(1000);
    const again = await bridge.fetch(path, known);
    expect([again.status, await again.text()]).toEqual([304, '']);
    expect((await bridge.fetch(`${path}&decimals=number`, known)).status).toBe(200);
  }
  const [path, money] = ['/v1/accounts/1004/deals?limit=1000', { kind: 'balance', amount: '1.00' }];
  const etag = (await bridge.fetch(path)).headers.get('etag') ?? '';
  expect((await client.write('POST', '/v1/accounts/1004/balance', money, 'etag')).status).toBe(201);
  expect((await bridge.fetch(path, { headers: { 'if-none-match': etag } })).status).toBe(200);
});

describe('tables and statements', () => {
  const csv = async (path: string): Promise<{ rows: string[][]; headers: Headers }> => {
    const answer = await bridge.fetch(path, { headers: { accept: 'text/csv' } });
    expect(answer.headers.get('content-type')).toContain('text/csv');
    return { rows: tableOf(await answer.text()), headers: answer.headers };
  };
  /** RFC 4180, read in the plainest way. */
  const tableOf = (text: string): string[][] =>
    text
      .trimEnd()
      .split('\r\n')
      .map((line) => [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell = '']) => cell).slice(0, -1))
      .map((cells) => cells.map((cell) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell)));

  it('a list comes as a table with the same rows, page by page', async () => {
    const path = '/v1/accounts/1001/deals?limit=40';
    const { items, nextCursor } = await list(path);
    const { rows, headers } = await csv(path);
    const [head = [], ...lines] = rows;
    const column = (name: string): unknown[] => lines.map((line) => line[head.indexOf(name)]);
    expect(column('ticket')).toEqual(of(items, 'ticket'));
    expect(column('profit')).toEqual(of(items, 'profit').map((profit) => profit ?? ''));
    expect(headers.get('x-next-cursor')).toBe(nextCursor);
    const accounts = await csv('/v1/accounts?logins=1001');
    expect(accounts.rows[0]).toContain('money.balance');
    expect((await csv('/v1/accounts/1090/deals')).rows[0]).toEqual(head);
    const json = await bridge.fetch(path, { headers: { accept: 'application/json, text/csv' } });
    expect(json.headers.get('content-type')).toContain('application/json');
  });

  it('text that a spreadsheet would run is defused, numbers stay numbers', async () => {
    const evil = { name: '=HYPERLINK("http://x.example","a")', comment: '@SUM(A1)', phone: '+44 20' };
    expect((await client.write('PATCH', '/v1/accounts/1006', evil, 'evil')).status).toBe(200);
    const { rows } = await csv('/v1/accounts?logins=1006');
    const [head = [], line = []] = rows;
    const at = (name: string): string | undefined => line[head.indexOf(name)];
    expect(at('name')).toBe(`'${evil.name}`);
    expect(at('comment')).toBe(`'@SUM(A1)`);
    expect(at('phone')).toBe(`'+44 20`);
    const { rows: deals } = await csv('/v1/accounts/1001/deals?limit=500');
    const profits = deals.slice(1).map((cells) => cells[deals[0]?.indexOf('profit') ?? -1]);
    expect(profits.some((profit) => profit?.startsWith('-'))).toBe(true);
  });

  it('a statement sums up to the balance, as JSON, table and page', async () => {
    const path = `/v1/accounts/1001/statement?from=${new Date(Date.now() - 25 * 86_400_000).toISOString()}`;
    const statement = (await (await bridge.fetch(path)).json()) as Row & {
      totals: Record<string, string>;
      items: Row[];
    };
    const { totals } = statement;
    const parts = ['profit', 'storage', 'commission', 'fee', 'deposits', 'withdrawals', 'other'].map(
      (name) => totals[name],
    );
    const cents = (text: unknown): number => Math.round(Number(text) * 100);
    const sum = parts.reduce((all, part) => all + cents(part), cents(statement['openingBalance']));
    expect(sum).toBe(cents(statement['closingBalance']));
    const money = (await (await bridge.fetch('/v1/accounts/1001/money')).json()) as Row;
    expect(statement['closingBalance']).toBe(money['balance']);
    expect(statement['currency']).toBe('USD');
    expect((await csv(path)).rows).toHaveLength(statement.items.length + 1);
    const page = await bridge.fetch(path, { headers: { accept: 'text/html' } });
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const html = await page.text();
    for (const { ticket } of statement.items) expect(html).toContain(String(ticket));
    await client.write('PATCH', '/v1/accounts/1006', { name: '<script>alert(1)</script>' }, 'script');
    const other = await bridge.fetch('/v1/accounts/1006/statement', { headers: { accept: 'text/html' } });
    expect(await other.text()).not.toContain('<script');
    expect((await list('/v1/accounts/1001/statement?from=2026-02-01&to=2026-01-01')).field).toBe('query.to');
  });

  it('daily reports have their positions in lots, and come of a group', async () => {
    const window = `from=${new Date(Date.now() - 10 * 86_400_000).toISOString()}`;
    const { items } = await list(`/v1/accounts/1001/daily-reports?${window}&limit=100`);
    const report = items.find(({ positions }) => (positions as Row[]).length > 0);
    expect((report as { positions: Row[] } | undefined)?.positions[0]).toMatchObject({
      login: 1001,
      volume: expect.stringMatching(/^\d+\.\d/),
    });
    expect(report).toMatchObject({ extra: {}, dayProfit: expect.any(String), equityPreviousDay: expect.any(String) });
    const all = await everyPage(`/v1/daily-reports?group=*&${window}&limit=500`);
    expect(all.filter(({ login }) => login === 1001)).toEqual(items);
    expect(new Set(of(all, 'login')).size).toBeGreaterThan(20);
    expect((await list('/v1/daily-reports?group=*&from=2026-01-01')).field).toBe('query.from');
  });
});

describe('the market', () => {
  it('tells the last candles, weekends left out', async () => {
    const ask = (query: string): Promise<List> => list(`/v1/candles?symbol=EURUSD&timeframe=H1&${query}`);
    const to = '2026-07-13T03:00:00Z';
    const { items } = await ask(`from=2026-07-09T00:00:00Z&to=${to}&limit=500`);
    expect((await ask(`last=30&to=${to}`)).items).toEqual(items.slice(-30));
    expect((await ask('last=5')).items).toHaveLength(5);
    expect((await ask(`last=5&from=${to}`)).field).toBe('query.last');
  });

  it('names an unknown group as the field that is wrong, and not as a right that is missing', async () => {
    const trade = 'symbol=EURUSD&side=buy&volume=1&priceOpen=1.1&priceClose=1.2';
    for (const path of ['/v1/quotes?symbols=EURUSD', '/v1/symbols/EURUSD?x', `/v1/profit?${trade}`]) {
      const target = `${path.replace('?x', '')}${path.endsWith('?x') ? '?' : '&'}group=none`;
      expect([target, (await list(target)).field]).toEqual([target, 'query.group']);
    }
  });

  it('finds symbols by text', async () => {
    const symbols = async (query: string): Promise<unknown[]> =>
      of((await list(`/v1/symbols?${query}`)).items, 'symbol');
    expect(await symbols('search=eurus')).toContain('EURUSD');
    const { description } = (await (await bridge.fetch('/v1/symbols/XAUUSD')).json()) as { description: string };
    expect(await symbols(`search=${encodeURIComponent(description.toUpperCase())}`)).toContain('XAUUSD');
    expect(await symbols('search=zzz')).toEqual([]);
  });

  it('tells the hours of a symbol as instants, holidays left out', async () => {
    const holiday = {
      Description: 'Christmas',
      Mode: '1',
      Year: '0',
      Month: '12',
      Day: '25',
      WorkFrom: '0',
      WorkTo: '0',
    };
    const added = await bridge.fetch('/api/holiday/add', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'holiday' },
      body: JSON.stringify({ ...holiday, Symbols: ['Forex\\*'] }),
    });
    expect(added.status).toBe(200);
    interface Hours {
      readonly trading: { readonly open: boolean; readonly spans: readonly { openAt: string; closeAt: string }[] };
      readonly holidays: readonly { readonly date: string; readonly open: unknown }[];
    }
    const hours = async (query: string): Promise<Hours> =>
      (await (await bridge.fetch(`/v1/symbols/EURUSD/hours?${query}`)).json()) as Hours;
    const christmas = await hours('from=2026-12-21T00:00:00Z&to=2026-12-28T00:00:00Z');
    expect(christmas.holidays).toMatchObject([{ date: '2026-12-25', description: 'Christmas', open: null }]);
    // Midnight of the broker's winter is 22:00 in UTC.
    const ends = christmas.trading.spans.map(({ closeAt }) => closeAt);
    expect(ends.some((end) => end.startsWith('2026-12-24T2'))).toBe(true);
    expect(
      christmas.trading.spans.some(({ openAt, closeAt }) => openAt <= '2026-12-25T10' && closeAt > '2026-12-25T10'),
    ).toBe(false);
    const week = await hours('from=2026-07-13T00:00:00Z&to=2026-07-18T00:00:00Z');
    expect(
      week.trading.spans.some(({ openAt, closeAt }) => openAt <= '2026-07-15T10' && closeAt > '2026-07-15T10'),
    ).toBe(true);
    expect(typeof week.trading.open).toBe('boolean');
    expect((await list('/v1/symbols/EURUSD/hours?from=2026-01-01&to=2026-12-31')).field).toBe('query.to');
  });
});
