import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBridgeClient, type BridgeClient, type Schemas } from '../../../container/client/index.ts';
import { startSimulator, type Simulator } from '../../simulator/server.ts';
import { type BridgeUnderTest, startBridge } from '../../support/bridge.ts';

/** The typed reads against what the same server says in its own words, through the passthrough. */

let simulator: Simulator;
let bridge: BridgeUnderTest;
let client: BridgeClient;

beforeAll(async () => {
  simulator = await startSimulator();
  bridge = await startBridge({ simulator });
  client = createBridgeClient({ baseUrl: bridge.url, key: bridge.readKey });
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});

type Raw = Record<string, string>;
const raw = async (command: string): Promise<Raw[]> => {
  const answer = (await (await bridge.fetch(`/api/${command}`)).json()) as { answer: Raw | Raw[] };
  return Array.isArray(answer.answer) ? answer.answer : [answer.answer];
};

async function all<Item>(pages: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of pages) items.push(item);
  return items;
}

const dealsOf = (login: number, limit: number, more: Record<string, string> = {}): Promise<Schemas['Deal'][]> =>
  all(client.each('/v1/accounts/{login}/deals', { path: { login }, query: { limit, ...more } }));
const tickets = (items: readonly { ticket: string }[]): string[] => items.map(({ ticket }) => ticket);

/** 2 h ahead in winter, 3 in summer: the simulator's zone. */
const hour = 3_600_000;

describe('values', () => {
  it('are those of the broker, digit for digit, volumes in lots and times in UTC', async () => {
    const wire = await raw('deal/get_page?login=1001&from=0&to=4000000000&offset=0&total=100');
    const { data } = await client.GET('/v1/accounts/{login}/deals', {
      params: { path: { login: 1001 }, query: { limit: 100 } },
    });
    const deals = data?.items ?? [];
    expect(deals.length).toBe(Math.min(100, wire.length));
    for (const deal of deals) {
      const source = wire.find((candidate) => candidate['Deal'] === deal.ticket);
      if (!source) throw new Error(`no deal ${deal.ticket}`);
      expect(deal.price).toBe(source['Price']);
      expect(deal.profit).toBe(source['Profit']);
      expect(deal.commission).toBe(source['Commission']);
      expect(Number(deal.volume) * 10_000).toBeCloseTo(Number(source['Volume']), 6);
      const offset = Number(source['TimeMsc']) - (deal.executedAtMs ?? 0);
      expect([2 * hour, 3 * hour]).toContain(offset);
      expect(Date.parse(deal.executedAt ?? '')).toBe(deal.executedAtMs);
    }
    const offsets = deals.map((deal) => {
      const source = wire.find((candidate) => candidate['Deal'] === deal.ticket);
      const month = new Date(deal.executedAtMs ?? 0).getUTCMonth() + 1;
      return [month, Number(source?.['TimeMsc']) - (deal.executedAtMs ?? 0)] as const;
    });
    for (const [month, offset] of offsets) {
      if ([12, 1, 2].includes(month)) expect(offset).toBe(2 * hour);
      if ([5, 6, 7, 8, 9].includes(month)) expect(offset).toBe(3 * hour);
    }
  });

  it('carry unknown enumerations and fields, and leave no field of the broker out', async () => {
    const [wire] = await raw('user/get?login=1001');
    const { data } = await client.GET('/v1/accounts/{login}', { params: { path: { login: 1001 } } });
    expect(data).toMatchObject({ login: 1001, group: wire?.['Group'], balance: wire?.['Balance'] });
    expect(data?.money?.equity).toMatch(/^-?\d+\.\d\d$/);
    expect(JSON.stringify(data)).not.toContain('PhonePassword');
  });

  it('are floats for callers that ask', async () => {
    const answer = await bridge.fetch('/v1/quotes?symbols=EURUSD&decimals=number');
    const { items } = (await answer.json()) as { items: { bid: number }[] };
    expect(items[0]?.bid).toBeGreaterThan(0.5);
  });
});

describe('paging', () => {
  it('gives every deal once, in order, whatever the page', async () => {
    const whole = await dealsOf(1001, 1000);
    expect(whole.length).toBeGreaterThan(100);
    const times = whole.map((deal) => deal.executedAtMs ?? 0);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    for (const limit of [37, 100, 101]) expect(tickets(await dealsOf(1001, limit))).toEqual(tickets(whole));
    expect(new Set(tickets(whole)).size).toBe(whole.length);
    const wire = (await (await bridge.fetch('/api/deal/get_total?login=1001&from=0&to=4000000000')).json()) as {
      answer: Raw;
    };
    expect(whole.length).toBe(Number(wire.answer['total']));
  });

  it('learns a page limit of the server, smaller or larger than the documented one', async () => {
    const whole = tickets(await dealsOf(1003, 1000));
    for (const pageLimit of [10, 256, 1000]) {
      simulator.switch({ pageLimit });
      const fresh = await startBridge({ simulator });
      const patient = createBridgeClient({ baseUrl: fresh.url, key: fresh.readKey });
      const found = await all(
        patient.each('/v1/accounts/{login}/deals', { path: { login: 1003 }, query: { limit: 1000 } }),
      );
      expect(tickets(found), `pages of ${pageLimit}`).toEqual(whole);
      await fresh.close();
    }
    simulator.switch({ pageLimit: 100 });
  });

  it('is not moved by what is added meanwhile', async () => {
    const before = await dealsOf(1004, 1000);
    const first = await client.GET('/v1/accounts/{login}/deals', {
      params: { path: { login: 1004 }, query: { limit: 5 } },
    });
    const deposit = await bridge.fetch('/v1/accounts/1004/balance', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'paging-1' },
      body: JSON.stringify({ kind: 'balance', amount: '1.00' }),
    });
    expect(deposit.status).toBe(201);
    const cursor = first.data?.nextCursor ?? '';
    const rest = await dealsOf(1004, 1000, { cursor });
    const together = [...tickets(first.data?.items ?? []), ...tickets(rest)];
    expect(together.slice(0, before.length)).toEqual(tickets(before));
    expect(together.length).toBe(before.length + 1);
  });

  it('refuses cursors of other lists', async () => {
    const { data } = await client.GET('/v1/accounts/{login}/deals', {
      params: { path: { login: 1001 }, query: { limit: 1 } },
    });
    const cursor = data?.nextCursor ?? '';
    for (const path of [
      '/v1/accounts/1001/orders/history',
      '/v1/accounts/1002/deals',
      '/v1/symbols',
      '/v1/accounts/1001/positions',
    ]) {
      const answer = await bridge.fetch(`${path}?cursor=${cursor}`);
      expect(answer.status, path).toBe(422);
    }
  });

  it('goes over many logins by login, time and ticket, in batches or login by login', async () => {
    const logins = [1001, 1002, 1003];
    const each = (await Promise.all(logins.map((login) => dealsOf(login, 1000)))).flat();
    const list = (limit: number, from?: string): Promise<Schemas['Deal'][]> =>
      all(client.each('/v1/deals', { query: { logins: logins.join(','), limit, ...(from ? { from } : {}) } }));
    expect(tickets(await list(1000))).toEqual(tickets(each));
    expect(tickets(await list(97))).toEqual(tickets(each));
    const from = new Date(Date.now() - 20 * 24 * hour).toISOString();
    const recent = each.filter((deal) => (deal.executedAtMs ?? 0) >= Date.parse(from));
    expect(tickets(await list(3, from))).toEqual(tickets(recent));
  });

  it('filters by symbol and window exactly', async () => {
    const whole = await dealsOf(1001, 1000);
    const from = whole[20]?.executedAt ?? '';
    const to = whole[60]?.executedAt ?? '';
    const inside = whole.filter(
      ({ executedAtMs }) => (executedAtMs ?? 0) >= Date.parse(from) && (executedAtMs ?? 0) < Date.parse(to),
    );
    expect(tickets(await dealsOf(1001, 7, { from, to }))).toEqual(tickets(inside));
    const symbol = whole.find((deal) => deal.symbol)?.symbol ?? '';
    expect(tickets(await dealsOf(1001, 50, { symbol }))).toEqual(
      tickets(whole.filter((deal) => deal.symbol === symbol)),
    );
    expect(await dealsOf(1001, 50, { symbol: `*,!*` })).toEqual([]);
  });
});

describe('login masks of keys', () => {
  it('hide other logins in lists and refuse them by name', async () => {
    const masked = await startBridge({
      simulator,
      env: {
        BRIDGE_API_KEYS: JSON.stringify([
          { id: 'masked', hash: await hashOf('mt5k_masked'), scopes: ['read'], logins: '1002,1005-1006' },
        ]),
      },
    });
    const get = async (path: string): Promise<{ status: number; body: { items?: { login: number }[] } }> => {
      const answer = await fetch(masked.url + path, { headers: { 'x-api-key': 'mt5k_masked' } });
      return { status: answer.status, body: (await answer.json()) as { items?: { login: number }[] } };
    };
    for (const path of [
      '/v1/accounts?group=*',
      '/v1/positions?group=*&limit=1000',
      '/v1/orders?group=*',
      '/v1/deals?group=*&limit=1000',
    ]) {
      const { status, body } = await get(path);
      expect(status, path).toBe(200);
      expect(
        body.items?.every(({ login }) => [1002, 1005, 1006].includes(login)),
        path,
      ).toBe(true);
      expect(body.items?.length, path).toBeGreaterThan(0);
    }
    expect((await get('/v1/accounts/1001')).status).toBe(403);
    expect((await get('/v1/positions?logins=1002,1001')).status).toBe(403);
    expect((await get('/v1/groups')).status).toBe(403);
    const [foreign] = await raw('position/get_batch?login=1001');
    expect((await get(`/v1/positions/${foreign?.['Position']}`)).status).toBe(403);
    const batch = await fetch(`${masked.url}/v1/batch`, {
      method: 'POST',
      headers: { 'x-api-key': 'mt5k_masked', 'content-type': 'application/json' },
      body: JSON.stringify({ requests: [{ path: '/v1/accounts/1001' }, { path: '/v1/accounts/1002' }] }),
    });
    const { items } = (await batch.json()) as { items: { status: number }[] };
    expect(items.map(({ status }) => status)).toEqual([403, 200]);
    await masked.close();
  });
});

async function hashOf(key: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key));
  return `sha256:${Buffer.from(digest).toString('hex')}`;
}

describe('reference data', () => {
  it('is cached with its true age, compared by ETag, and identical reads at one time are one', async () => {
    const fresh = await startBridge({ simulator });
    await fresh.fetch('/v1/server');
    const before = simulator.stats().byCommand['symbol/get'] ?? 0;
    const answers = await Promise.all(Array.from({ length: 20 }, () => fresh.fetch('/v1/symbols/GBPUSD')));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    // The time at the broker is told to who waited for it.
    expect(answers.some(({ headers }) => headers.get('server-timing')?.includes('broker;dur='))).toBe(true);
    expect((simulator.stats().byCommand['symbol/get'] ?? 0) - before).toBe(1);
    const again = await fresh.fetch('/v1/symbols/GBPUSD', {
      headers: { 'if-none-match': answers[0]?.headers.get('etag') ?? '' },
    });
    expect(again.status).toBe(304);
    expect(Number(/max-age=(\d+)/.exec(again.headers.get('cache-control') ?? '')?.[1])).toBeLessThanOrEqual(60);
    const cache = (await (await fresh.fetch('/performance/cache')).json()) as {
      coalesced: number;
      byKind: Record<string, { hits: number }>;
    };
    expect(cache.coalesced + (cache.byKind['symbols']?.hits ?? 0)).toBeGreaterThanOrEqual(20);
    await fresh.close();
  });
});
