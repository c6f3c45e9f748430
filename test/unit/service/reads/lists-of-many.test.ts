import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { createReadService } from '../../../../container/service/reads/read-service.ts';
import type { ReadService } from '../../../../container/service/reads/read-service.ts';
import { SessionError, type Upstream } from '../../../../container/session/upstream.ts';
import type { Caller } from '../../../../container/contract/keys.ts';
import { type GroupForm, listServer, type ListServer } from '../../../support/list-server.ts';

/** Lists of many accounts are whole, whatever one answer of the server holds and whether it takes `group=`. */

const AT_ONCE = 3;
const contextOf = (logins?: Caller['logins']) => ({
  deadlineAtMs: Date.now() + 5_000,
  signal: new AbortController().signal,
  caller: { id: 'test', scopes: ['read' as const], ...(logins ? { logins } : {}) },
});

const readsOf = ({ upstream }: ListServer): ReadService =>
  createReadService({
    upstream,
    now: Date.now,
    cacheSize: 100,
    atOnce: AT_ONCE,
    isWriting: () => false,
    serverBuild: async () => null,
  });

const someAccounts = fc
  .array(fc.record({ group: fc.constantFrom('USDa', 'USDb', 'EURc'), positions: fc.integer({ min: 0, max: 6 }) }), {
    maxLength: 14,
  })
  .map((accounts) => accounts.map((account, i) => ({ ...account, login: 1001 + i })));
const someServer = fc.record({
  accounts: someAccounts,
  form: fc.constantFrom<GroupForm>('there', 'refused', 'empty', 'no-batch'),
  mostRows: fc.constantFrom(2, 5, 1000),
});

it('every page of a mask together is everything, by login and ticket', async () => {
  await fc.assert(
    fc.asyncProperty(someServer, fc.integer({ min: 1, max: 9 }), async (options, limit) => {
      const server = listServer(options);
      const { tradeData } = readsOf(server);
      const tickets: string[] = [];
      for (let cursor: string | undefined; ;) {
        const page = await tradeData.positionsOfMany({ group: '*' }, { limit, cursor }, contextOf());
        tickets.push(...page.items.map(({ ticket }) => ticket));
        if (page.nextCursor === null) break;
        cursor = page.nextCursor;
      }
      expect(tickets).toEqual(server.positions.map(({ Position }) => Position));
    }),
    { numRuns: 60 },
  );
});

it('accounts of a mask come with their own money', async () => {
  await fc.assert(
    fc.asyncProperty(someServer, async (options) => {
      const { accounts } = readsOf(listServer(options));
      const { items, nextCursor } = await accounts.accounts({ group: '*' }, { limit: 100 }, contextOf());
      const expected = options.accounts.map(({ login, positions }) => [login, `${positions}.50`]);
      expect(items.map(({ login, money }) => [login, money?.equity])).toEqual(expected);
      expect(nextCursor).toBeNull();
    }),
    { numRuns: 60 },
  );
});

const twoGroups = [
  { login: 1001, group: 'USDa', positions: 1 },
  { login: 1002, group: 'USDa', positions: 2 },
  { login: 1003, group: 'EURc', positions: 1 },
];
const batches = ({ asked }: ListServer): string[] => asked.filter((command) => command.includes('_batch'));

it('logins that come in part are asked for group by group', async () => {
  const server = listServer({ accounts: twoGroups, form: 'there', mostRows: 100, mostLogins: 2 });
  const { items } = await readsOf(server).accounts.logins('*', { limit: 10 }, contextOf());
  expect(items).toEqual([1001, 1002, 1003]);
});

it('a mask is one command where the server takes it', async () => {
  const server = listServer({ accounts: twoGroups, form: 'there', mostRows: 100 });
  const { tradeData } = readsOf(server);
  await tradeData.positionsOfMany({ group: '*' }, { limit: 10 }, contextOf());
  expect(batches(server)).toEqual(['position/get_batch?group=*']);
});

it('a server that refuses a mask is asked with it once', async () => {
  const server = listServer({ accounts: twoGroups, form: 'refused', mostRows: 100 });
  const { tradeData } = readsOf(server);
  for (let i = 0; i < 2; i++) await tradeData.positionsOfMany({ group: '*' }, { limit: 10 }, contextOf());
  const byLogins = 'position/get_batch?login=1001,1002,1003';
  expect(batches(server)).toEqual(['position/get_batch?group=*', byLogins, byLogins]);
});

it('a key with logins never asks for more than its own', async () => {
  const server = listServer({ accounts: twoGroups, form: 'there', mostRows: 100 });
  const { tradeData, accounts } = readsOf(server);
  const own = contextOf([[1002, 1002]]);
  const { items } = await tradeData.positionsOfMany({ group: '*' }, { limit: 10 }, own);
  expect(items.map(({ login }) => login)).toEqual([1002, 1002]);
  expect((await accounts.accounts({ group: '*' }, { limit: 10 }, own)).items.map(({ login }) => login)).toEqual([1002]);
  expect(batches(server).filter((command) => !command.endsWith('?login=1002'))).toEqual([]);
});

it('all lists together have as many commands under way as the pool has sessions to spare', async () => {
  const accounts = Array.from({ length: 1200 }, (_, i) => ({ login: 1001 + i, group: 'USDa', positions: 1 }));
  const server = listServer({ accounts, form: 'refused', mostRows: 90 });
  let underWay = 0;
  let most = 0;
  const upstream: Upstream = {
    ...server.upstream,
    read: async (command, options) => {
      if (!command.path.endsWith('get_batch')) return server.upstream.read(command, options);
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
      return server.upstream.read(command, options);
    },
  };
  const reads = readsOf({ ...server, upstream });
  const [{ items }, ...counts] = await Promise.all([
    reads.accounts.accounts({ group: '*' }, { limit: 5000 }, contextOf()),
    ...[1, 2].map(async () => {
      let rows = 0;
      for await (const part of reads.tradeData.everyPosition({ group: '*' }, {}, contextOf())) rows += part.length;
      return rows;
    }),
  ]);
  expect([items.length, ...counts, most]).toEqual([1200, 1200, 1200, AT_ONCE]);
});

it('a build without batches shows so by the first few accounts, not by all', async () => {
  const accounts = Array.from({ length: 3000 }, (_, i) => ({ login: 1001 + i, group: 'USDa', positions: 1 }));
  const server = listServer({ accounts, form: 'no-batch', mostRows: 1000 });
  const parts = readsOf(server).tradeData.everyPosition({ group: '*' }, {}, contextOf());
  await parts.next();
  await parts.return();
  expect(server.asked.filter((command) => command.startsWith('position/get_page')).length).toBeLessThan(3000);
});

it('a whole book of accounts is asked for side by side, not in one answer that is too long to read', async () => {
  const accounts = Array.from({ length: 1500 }, (_, i) => ({ login: 1001 + i, group: 'USDa', positions: 0 }));
  const server = listServer({ accounts, form: 'there', mostRows: 5000 });
  const found: number[] = [];
  for await (const part of readsOf(server).accounts.everyAccount({ group: '*' }, contextOf()))
    found.push(...part.map(({ login }) => login));
  expect(found).toEqual(accounts.map(({ login }) => login));
  expect(batches(server).filter((command) => command.includes('group='))).toEqual([]);
});

it('an answer that cannot be read is asked for in parts', async () => {
  const server = listServer({ accounts: twoGroups, form: 'there', mostRows: 100 });
  const upstream: Upstream = {
    ...server.upstream,
    read: async (command, options) => {
      if (command.query?.some(([name, value]) => name === 'group' && value === '*') && command.path !== 'user/logins')
        throw new SessionError('malformed', 'the answer is too long');
      return server.upstream.read(command, options);
    },
  };
  const { items } = await readsOf({ ...server, upstream }).tradeData.positionsOfMany(
    { group: '*' },
    { limit: 10 },
    contextOf(),
  );
  expect(items).toHaveLength(4);
});
