import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/server.ts';
import { Mt5Client } from '../../support/mt5-client.ts';

type Row = Readonly<Record<string, string>>;

let simulator: Simulator;
let client: Mt5Client;

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
  client = new Mt5Client(simulator);
  await client.signIn();
});
afterAll(async () => {
  client.close();
  await simulator.close();
});
afterEach(() => simulator.reset());

async function answer(path: string, body?: object): Promise<unknown> {
  const reply = await (body === undefined
    ? client.send(`/api/${path}`)
    : client.send(`/api/${path}`, { method: 'POST', body: JSON.stringify(body) }));
  expect([path, reply.text.slice(0, 80), reply.retcode]).toEqual([path, reply.text.slice(0, 80), 0]);
  return reply.json?.['answer'];
}
const rows = async (path: string): Promise<readonly Row[]> => (await answer(path)) as readonly Row[];
const row = async (path: string): Promise<Row> => (await answer(path)) as Row;

const ORDER = { Action: '200', Login: '1001', Symbol: 'EURUSD', Type: '0', Volume: '1000', TypeFill: '0', Digits: '5' };

describe('a market order, as a client sees it', () => {
  test('queued, confirmed, answered; order, deal, position and account agree', async () => {
    const before = await row('user/account/get?login=1001');
    const { id: ID = '' } = (await answer('dealer/send_request', { ...ORDER, Comment: 'first #tag' })) as Row;
    const reply = await client.send(`/api/dealer/get_request_result?id=${ID}`);
    const events = reply.json?.[ID] as readonly [{ readonly result: Row }, { readonly answer: Row }];
    expect(events).toMatchObject([
      { result: { ID, Retcode: '10009 Request executed', Volume: '1000', VolumeExt: '10000000' } },
      { answer: { ID, ResultRetcode: '10009 Request executed', Login: '1001', ResultVolume: '1000' } },
    ]);
    const { DealID = '', OrderID = '', Price = '' } = events[0].result;
    expect(await row(`deal/get?ticket=${DealID}`)).toMatchObject({
      Order: OrderID,
      PositionID: OrderID,
      Price,
      Comment: 'first #tag',
      Commission: '-0.35',
      Dealer: '1000',
    });
    expect(await row(`history/get?ticket=${OrderID}`)).toMatchObject({
      State: '4',
      Comment: 'first #tag',
      VolumeCurrent: '0',
    });
    const positions = await rows('position/get_page?login=1001&offset=0&total=100');
    expect(positions.at(-1)).toMatchObject({
      Position: OrderID,
      PriceOpen: Price,
      Comment: 'first #tag',
      VolumeExt: '10000000',
    });
    const after = await row('user/account/get?login=1001');
    const cents = (text = ''): number => Math.round(Number(text) * 100);
    expect(cents(after['Balance'])).toBe(cents(before['Balance']) - 35);
    expect(cents(after['Equity'])).toBe(cents(after['Balance']) + cents(after['Profit']) + cents(after['Storage']));
    expect(cents(after['MarginFree'])).toBe(cents(after['Equity']) - cents(after['Margin']));
    expect(cents(after['Margin'])).toBeGreaterThan(cents(before['Margin']));
    expect(await answer('user/check_balance?login=1001&fixflag=0')).toMatchObject({
      Balance: { User: after['Balance'], History: after['Balance'] },
    });
    // Delivered: forgotten.
    expect((await client.send(`/api/dealer/get_request_result?id=${ID}`)).json).toEqual({
      retcode: '0 Done',
      answer: {},
    });
    expect(simulator.stats().mutations).toBe(1);
  });

  test('results of another connection are not there, and go with the connection', async () => {
    const other = new Mt5Client(simulator);
    await other.signIn();
    const sent = await other.send('/api/dealer/send_request', { method: 'POST', body: JSON.stringify(ORDER) });
    const { id: ID = '' } = (sent.json?.['answer'] ?? {}) as Row;
    expect((await client.send(`/api/dealer/get_request_result?id=${ID}`)).json).toEqual({
      retcode: '0 Done',
      answer: {},
    });
    other.close();
    await expect.poll(() => simulator.stats().connections).toBe(1);
    expect(simulator.stats().mutations).toBe(1);
    const again = new Mt5Client(simulator);
    await again.signIn();
    expect((await again.send(`/api/dealer/get_request_result?id=${ID}`)).json).toEqual({
      retcode: '0 Done',
      answer: {},
    });
    again.close();
  });
});

describe('reading much', () => {
  test('pages of a hundred deals meet without gap or overlap', async () => {
    const { total: Total = '' } = await row('deal/get_total?login=1001&from=0&to=4102444800');
    expect(Number(Total)).toBeGreaterThan(1000);
    const tickets: string[] = [];
    for (let offset = 0; offset < Number(Total); offset += 100) {
      const page = await rows(`deal/get_page?login=1001&from=0&to=4102444800&offset=${offset}&total=500`);
      tickets.push(...page.map(({ Deal = '' }) => Deal));
    }
    expect(tickets).toHaveLength(Number(Total));
    expect(new Set(tickets).size).toBe(tickets.length);
    // The sum of all deals is the balance.
    const reply = (await client.send('/api/user/check_balance?login=1001')).json?.['answer'];
    expect(reply).toMatchObject({ Balance: { User: (await row('user/get?login=1001'))['Balance'] } });
  });

  test('more than 5000 objects: 14 with the first of them', async () => {
    const reply = await client.send('/api/deal/get_batch?group=*&from=0&to=4102444800');
    expect(reply.retcode).toBe(14);
    expect(reply.json?.['answer']).toHaveLength(5000);
  });

  test('from and to are seconds of server time, both inclusive', async () => {
    const deals = await rows('deal/get_page?login=1001&from=0&to=4102444800&offset=0&total=100');
    const at = Number(deals[0]?.['Time']);
    // Several may be of one second.
    const between = (from: number, to: number): string =>
      String(deals.filter(({ Time }) => Number(Time) >= from && Number(Time) <= to).length);
    expect(Number(between(at, at))).toBeGreaterThan(0);
    for (const [from, to] of [
      [at, at],
      [at + 1, at + 2],
      [at - 1, at],
    ] as const)
      expect(await row(`deal/get_total?login=1001&from=${from}&to=${to}`)).toMatchObject({ total: between(from, to) });
  });

  test('batches by logins in the body, by mask, narrowed by symbol', async () => {
    const some = (await answer('position/get_batch', { Login: [1001, 1002] })) as readonly Row[];
    expect(new Set(some.map(({ Login }) => Login))).toEqual(new Set(['1001', '1002']));
    const gold = await rows('position/get_batch?group=*&symbol=Metals%5C*');
    expect(new Set(gold.map(({ Symbol: symbol }) => symbol))).toEqual(new Set(['XAUUSD']));
  });
});

describe('quotes', () => {
  test('tick/last with the returned trans_id gives only what has changed since', async () => {
    const first = await client.send('/api/tick/last?symbol=*&trans_id=0');
    expect(first.json?.['answer']).toHaveLength(34);
    const since = String(first.json?.['trans_id']);
    expect((await client.send(`/api/tick/last?symbol=*&trans_id=${since}`)).json?.['answer']).toEqual([]);
    const quote = simulator.broker.world.market.quote('EURUSD');
    simulator.broker.world.market.set('EURUSD', (quote?.timeMsc ?? 0) + 1, 123_456, 123_460);
    const changed = await client.send(`/api/tick/last?symbol=*&trans_id=${since}`);
    expect(changed.json?.['answer']).toMatchObject([{ Symbol: 'EURUSD', Bid: '1.23456', Ask: '1.23460' }]);
  });

  test('charts: letters in their order, bare numbers; not ready, then partial and on from the last row', async () => {
    const from = Date.UTC(2026, 10, 11, 12) / 1000;
    const path = `chart/get?symbol=EURUSD&from=${from}&to=${from + 3600}`;
    const whole = (await client.send(`/api/${path}&data=dohlc`)).json?.['answer'] as readonly number[][];
    expect(whole.length).toBeGreaterThan(50);
    for (const [time = 0, open = 0, high = 0, low = 0, close = 0] of whole) {
      expect([time % 60, high >= Math.max(open, close), low <= Math.min(open, close)]).toEqual([0, true, true]);
    }
    expect((await client.send(`/api/${path}&data=cd`)).json?.['answer']).toEqual(whole.map((bar) => [bar[4], bar[0]]));
    simulator.switch({ chartNotReady: 1, historyBytes: 600 });
    expect((await client.send(`/api/${path}&data=dohlc`)).retcode).toBe(1);
    const parts: number[][] = [];
    for (let next = from; ;) {
      const reply = await client.send(`/api/chart/get?symbol=EURUSD&from=${next}&to=${from + 3600}&data=dohlc`);
      const part = reply.json?.['answer'] as number[][];
      parts.push(...part);
      if (reply.retcode === 0) break;
      expect(reply.retcode).toBe(14);
      next = (part.at(-1)?.[0] ?? 0) + 1;
    }
    expect(parts).toEqual(whole);
  });

  test('ticks of the past: milliseconds and prices, inside the period, always the same', async () => {
    const from = Date.UTC(2026, 10, 11, 12) / 1000;
    const path = `/api/tick/history?symbol=XAUUSD&from=${from}&to=${from + 30}&data=dba`;
    const ticks = (await client.send(path)).json?.['answer'] as readonly number[][];
    expect(ticks.length).toBeGreaterThan(5);
    for (const [at = 0, bid = 0, ask = 0] of ticks) {
      expect([at >= from * 1000, at < (from + 31) * 1000, ask > bid]).toEqual([true, true, true]);
    }
    expect((await client.send(path)).json?.['answer']).toEqual(ticks);
  });
});

describe('administration of records', () => {
  test('a deal changed by hand unbalances the account; check_balance tells and fixes', async () => {
    const [deal] = await rows('deal/get_page?login=1001&from=0&to=4102444800&offset=0&total=1');
    await answer('deal/update', { Deal: deal?.['Deal'], Profit: '1.00' });
    expect(simulator.broker.verifyBooks()).not.toEqual([]);
    const check = (await answer('user/check_balance?login=1001&fixflag=1')) as { readonly Balance: Row };
    expect(check.Balance['User']).not.toBe(check.Balance['History']);
    expect(await row('user/get?login=1001')).toMatchObject({ Balance: check.Balance['History'] });
    expect(simulator.broker.verifyBooks()).toEqual([]);
  });

  test('a deleted position is missed by its deals and comes back with fix', async () => {
    const [position] = await rows('position/get_page?login=1001&offset=0&total=1');
    const ticket = position?.['Position'];
    await answer(`position/delete?ticket=${ticket}`);
    expect(await answer('position/check?login=1001')).toMatchObject({ missed: [{ Position: ticket }] });
    await answer('position/fix?login=1001');
    expect(await answer('position/check?login=1001')).toMatchObject({ missed: [], invalid: [], nonexist: [] });
    expect(await rows('position/get_batch?login=1001')).toEqual(
      expect.arrayContaining([expect.objectContaining({ Position: ticket, VolumeExt: position?.['VolumeExt'] })]),
    );
  });

  test('update replaces the whole record where the server does: what it leaves out is emptied, money stays', async () => {
    simulator.switch({ userUpdate: 'whole' });
    const before = await row('user/get?login=1004');
    await answer('user/update', { Login: '1004', Group: 'real\\hedge-eur', Name: 'Zoë', Leverage: 30 });
    const after = await row('user/get?login=1004');
    expect(after).toMatchObject({
      Name: 'Zoë',
      Leverage: '30',
      Email: '',
      City: '',
      Balance: before['Balance'],
      Registration: before['Registration'],
    });
  });
});

test('a clock set forward leaves no hole in the charts; a feed kept silent does', async () => {
  const { broker } = simulator;
  const startSeconds = broker.time.serverSeconds();
  const minutes = async (): Promise<readonly number[]> => {
    const to = broker.time.serverSeconds();
    const reply = await client.send(`/api/chart/get?symbol=BTCUSD&from=${startSeconds}&to=${to}&data=d`);
    return ((reply.json?.['answer'] ?? []) as readonly [number][]).map(([at]) => at);
  };
  broker.clock.set({ utcMs: broker.time.utcMs() + 3 * 3_600_000 });
  const whole = await minutes();
  expect(whole.length).toBeGreaterThan(170);
  expect([...whole]).toEqual([...new Set(whole)].sort((a, b) => a - b));
  broker.feed.set({ ticksPerSecond: 100 });
  broker.feed.fault({ kind: 'freeze-feed', ms: 60_000 });
  broker.clock.set({ speed: 6000 });
  // Silence has to last some minutes of the broker's time before a minute can be missing.
  await expect.poll(() => broker.world.market.silentMinutes.size).toBeGreaterThan(3);
  broker.clock.set({ speed: 0 });
  const silent = [...broker.world.market.silentMinutes].map((ms) => ms / 1000);
  const left = await minutes();
  expect(left.filter((at) => silent.slice(0, -1).includes(at))).toEqual([]);
});

describe('the control port over the broker', () => {
  const control = async (path: string, body: object): Promise<{ readonly status: number; readonly json: unknown }> => {
    const url = `http://127.0.0.1:${simulator.controlPort}${path}`;
    const reply = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
    return { status: reply.status, json: await reply.json() };
  };
  const retcodeOf = async (fields: object): Promise<string | undefined> => {
    const { id: ID = '' } = (await answer('dealer/send_request', { ...ORDER, ...fields })) as Row;
    const reply = await client.send(`/api/dealer/get_request_result?id=${ID}`);
    const events = reply.json?.[ID] as readonly { readonly answer?: Row }[];
    return events.at(-1)?.answer?.['ResultRetcode'];
  };

  test('what the dealer says next', async () => {
    expect(await control('/dealer', { next: ['requote', 'partial'], partialPercent: 25 })).toMatchObject({
      status: 200,
    });
    expect(await retcodeOf({})).toBe('10004 Requote');
    expect(await retcodeOf({ TypeFill: '1' })).toBe('10010 Request executed partially');
    expect(await retcodeOf({})).toBe('10009 Request executed');
    expect(await control('/dealer', { next: ['perhaps'] })).toMatchObject({ status: 400 });
  });

  test('a weekend with a broker’s hours', async () => {
    expect(await control('/clock', { utc: '2026-11-21T12:00:00Z' })).toMatchObject({ status: 200 });
    expect(await retcodeOf({})).toBe('10009 Request executed');
    expect(await control('/feed', { tradingHours: 'real' })).toMatchObject({ status: 200 });
    expect(await retcodeOf({})).toBe('10018 Market closed');
  });
});
