import { describe, expect, it } from 'vitest';
import { ROUTES } from '../../../container/contract/routes.ts';
import { TypedApi } from '../../../container/http/serve-routes.ts';
import { createReadService } from '../../../container/service/reads/read-service.ts';
import { WebApiReply } from '../../../container/session/reply.ts';
import type { Command } from '../../../container/session/upstream.ts';
import { typedRead } from '../../support/typed-read.ts';
import { fakeUpstream } from '../../support/fake-upstream.ts';

/** A server that knows few commands, with none of our simulator's habits: bare numbers, other casing, no batches. */

const now = Date.UTC(2026, 6, 15, 12);
const deals = Array.from({ length: 250 }, (_, i) => ({
  deal: 1000 + i,
  login: 7,
  symbol: 'EURUSD',
  action: i % 2,
  entry: 0,
  volume: 100 * (i + 1),
  price: 1.1,
  timemsc: now - (250 - i) * 60_000,
}));

const answers: Readonly<Record<string, (query: Map<string, string>) => unknown>> = {
  'user/get': () => ({ retcode: '0 Done', Answer: { login: 7, GROUP: 'a', Balance: 10.5 } }),
  'user/logins': () => ({ retcode: '0', answer: [9, 7] }),
  'deal/get_page': (query) => {
    const offset = Number(query.get('offset'));
    const total = Math.min(Number(query.get('total')), 64);
    return { retcode: 0, answer: deals.slice(offset, offset + total) };
  },
};

const upstream = fakeUpstream((command: Command) => {
  const answer = answers[command.path];
  return answer ? JSON.stringify(answer(new Map(command.query))) : '';
});
const { handlers } = createReadService({
  upstream: {
    ...upstream,
    read: async (command, options) =>
      answers[command.path] ? upstream.read(command, options) : new WebApiReply(404, 'text/plain', new Uint8Array()),
  },
  now: () => now,
  cacheSize: 10,
  atOnce: 3,
  isWriting: () => false,
  serverBuild: async () => null,
});
const api = new TypedApi(ROUTES, handlers);
const get = async (path: string): Promise<unknown> => {
  const url = new URL(path, 'http://bridge.test');
  return (await typedRead(api, url.pathname, url.searchParams, now + 30_000)).body;
};

describe('a server that knows little', () => {
  it('gives what it has: an account without a money state, times taken as UTC', async () => {
    expect(await get('/v1/accounts/7')).toMatchObject({ login: 7, group: 'a', balance: '10.5', money: null });
  });

  it('is paged to the end without totals and without batches', async () => {
    type Page = { items: { ticket: string; volume: string; side: string }[]; nextCursor: string | null };
    const whole = (await get('/v1/accounts/7/deals?limit=1000')) as Page;
    expect(whole.items.map(({ ticket }) => ticket)).toEqual(deals.map(({ deal }) => String(deal)));
    expect(whole.items[0]).toMatchObject({ volume: '0.01', side: 'buy', executedAtMs: now - 250 * 60_000 });
    const many = (await get('/v1/deals?logins=7&limit=1000')) as Page;
    expect(many.items).toEqual(whole.items);
    const recent = (await get(`/v1/deals?logins=7&limit=1000&from=${now - 50 * 60_000}`)) as Page;
    expect(recent.items.length).toBe(50);
  });

  it('is told to lack what it lacks', async () => {
    await expect(get('/v1/symbols/EURUSD')).rejects.toMatchObject({ code: 'broker_unsupported' });
    await expect(get('/v1/accounts/7/money')).rejects.toMatchObject({ code: 'broker_unsupported' });
  });

  it('gives logins as numbers or text', async () => {
    expect(await get('/v1/logins?group=*')).toEqual({ items: [7, 9], nextCursor: null });
  });
});
