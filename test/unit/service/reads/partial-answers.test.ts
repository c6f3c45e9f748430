import { expect, it } from 'vitest';
import { createReadService } from '../../../../container/service/reads/read-service.ts';
import { fakeUpstream } from '../../../support/fake-upstream.ts';

/** A server that sends at most three rows of a batch, and says so (14). */
const MOST = 3;

it('positions of many are whole, whatever one answer holds: halves, then pages of one login', async () => {
  const held = Object.entries({ 1001: 2, 1002: 7, 1003: 1 }).flatMap(([login, count]) =>
    Array.from({ length: count }, (_, i) => ({
      Position: `${login}${i}`,
      Login: login,
      Symbol: 'EURUSD',
      Action: '0',
    })),
  );
  const asked: string[] = [];
  const upstream = fakeUpstream(({ path, query = [] }) => {
    const of = new Map(query);
    const rows = held.filter(({ Login }) => (of.get('login') ?? '').split(',').includes(Login));
    asked.push(`${path} ${of.get('login') ?? ''}`);
    if (path === 'position/get_total')
      return JSON.stringify({ retcode: '0 Done', answer: { total: `${rows.length}` } });
    const from = Number(of.get('offset') ?? 0);
    const most = Math.min(MOST, Number(of.get('total') ?? MOST));
    const isPart = path === 'position/get_batch' && rows.length > MOST;
    if (!path.startsWith('position/')) return '{"retcode":"13 Not found"}';
    return JSON.stringify({ retcode: isPart ? '14 Partial' : '0 Done', answer: rows.slice(from, from + most) });
  });
  const { tradeData } = createReadService({
    upstream,
    now: Date.now,
    cacheSize: 10,
    atOnce: 3,
    isWriting: () => false,
    serverBuild: async () => null,
  });
  const { items, nextCursor } = await tradeData.positionsOfMany(
    { logins: [1001, 1002, 1003] },
    { limit: 100 },
    {
      deadlineAtMs: Date.now() + 5_000,
      signal: new AbortController().signal,
      caller: { id: 'test', scopes: ['read'] },
    },
  );
  expect(items.map(({ ticket }) => ticket)).toEqual(held.map(({ Position }) => Position));
  expect(nextCursor).toBeNull();
  expect(asked).toContain('position/get_page 1002');
});

it('a list of logins that is a part is refused, not taken for all', async () => {
  const upstream = fakeUpstream(({ path }) =>
    path === 'user/logins' ? '{"retcode":"14 Partial","answer":["1001"]}' : '{"retcode":"13 Not found"}',
  );
  const { accounts } = createReadService({
    upstream,
    now: Date.now,
    cacheSize: 10,
    atOnce: 3,
    isWriting: () => false,
    serverBuild: async () => null,
  });
  const context = {
    deadlineAtMs: Date.now() + 5_000,
    signal: new AbortController().signal,
    caller: { id: 'test', scopes: ['read' as const] },
  };
  await expect(accounts.logins('*', { limit: 10 }, context)).rejects.toMatchObject({
    code: 'invalid_field',
    context: { field: 'query.group', expected: 'a narrower mask' },
  });
});
