import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { archiveCommands } from '../../simulator/commands/archives.ts';
import { clientPaperCommands } from '../../simulator/commands/client-papers.ts';
import { configurationCommands } from '../../simulator/commands/configuration.ts';
import { commands } from '../../simulator/commands/index.ts';
import { subscriptionCommands } from '../../simulator/commands/subscriptions.ts';
import { type Simulator, startSimulator } from '../../simulator/server.ts';
import type { Ask, CommandRow } from '../../support/command-rows.ts';
import { accountCommandTable } from '../../support/command-table.ts';
import { tradingCommandTable } from '../../support/command-table-trading.ts';
import { Mt5Client, type WireAnswer } from '../../support/mt5-client.ts';

/** Managers of the simulator: all rights; none but to connect; all rights for `demo\*` only. */
const ALL = 1000;
const NONE = 998;
const DEMO = 997;

let simulator: Simulator;
const clients = new Map<number, Mt5Client>();

beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
  for (const login of [ALL, NONE, DEMO]) {
    const client = new Mt5Client(simulator);
    expect((await client.signIn(login)).retcode).toBe(0);
    clients.set(login, client);
  }
});
afterAll(async () => {
  for (const client of clients.values()) client.close();
  await simulator.close();
});

function ask(manager: number, path: string, { query, body }: Ask): Promise<WireAnswer> {
  const client = clients.get(manager);
  if (client === undefined) throw new Error(`no manager ${manager}`);
  const target = `/api/${path}${query === undefined ? '' : `?${query.replaceAll('\\', '%5C')}`}`;
  if (body === undefined) return client.send(target);
  return client.send(target, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
}

/** Tickets of client 1001 that the table asks about: of the same seed, so always there. */
function known() {
  const { books } = simulator.broker.world;
  const canceled = [...books.history.byTicket.values()].find(({ state }) => state === 2);
  return {
    order: books.orders.of(1001)[0]?.ticket ?? 0,
    history: books.history.of(1001)[0]?.ticket ?? 0,
    canceled: canceled?.ticket ?? 0,
    deal: books.deals.of(1001)[0]?.ticket ?? 0,
    position: books.positions.of(1001)[0]?.ticket ?? 0,
  };
}

const matchers = {
  matching: (pattern: RegExp): unknown => expect.stringMatching(pattern),
  anything: (): unknown => expect.anything(),
};

// Account rows last: they delete and add what the trading rows read.
const table = (): CommandRow[] => [...tradingCommandTable(known(), matchers), ...accountCommandTable(matchers)];

test('the table has every command but those that only keep records (records.test.ts)', () => {
  const rows = new Set(table().map(({ path }) => path));
  const kept = new Set(
    [archiveCommands, clientPaperCommands, configurationCommands, subscriptionCommands].flat().map(({ path }) => path),
  );
  expect([...rows].filter((path) => !commands.has(path))).toEqual([]);
  expect([...commands.keys()].filter((path) => !rows.has(path) && !kept.has(path))).toEqual([]);
});

describe('every command × right, none, wrong, unknown, no right', () => {
  test('without the right: 8, or 13 where the documents say so; nothing changes', async () => {
    const before = JSON.stringify(simulator.books());
    for (const row of table()) {
      const reply = await ask(NONE, row.path, row.right);
      expect([row.path, reply.status, reply.retcode]).toEqual([row.path, 200, row.noRight]);
    }
    expect(JSON.stringify(simulator.books())).toBe(before);
  });

  test('without parameters, with wrong ones, about nothing: refused by the documented code; nothing changes', async () => {
    const before = JSON.stringify(simulator.books());
    for (const row of table()) {
      if (row.none !== undefined) {
        expect([row.path, 'none', (await ask(ALL, row.path, {})).retcode]).toEqual([row.path, 'none', row.none]);
      }
      for (const [wrong, retcode] of [...(row.wrong ?? []), ...(row.unknown === undefined ? [] : [row.unknown])]) {
        const said = JSON.stringify(wrong).slice(0, 120);
        expect([row.path, said, (await ask(ALL, row.path, wrong)).retcode]).toEqual([row.path, said, retcode]);
      }
    }
    expect(JSON.stringify(simulator.books())).toBe(before);
  });

  test('with the right parameters: done, in the documented shape, counted where it changes the books', async () => {
    for (const row of table()) {
      const mutationsBefore = simulator.stats().mutations;
      const reply = await ask(ALL, row.path, row.right);
      expect([row.path, reply.text.slice(0, 200), reply.retcode]).toEqual([
        row.path,
        reply.text.slice(0, 200),
        row.retcode ?? 0,
      ]);
      if (row.answer !== undefined) expect([row.path, reply.json]).toMatchObject([row.path, row.answer]);
      const changed = simulator.stats().mutations - mutationsBefore;
      const mutates = commands.get(row.path)?.mutates === true && row.path !== 'user/check_balance';
      expect([row.path, changed > 0]).toEqual([row.path, mutates]);
    }
    simulator.reset();
  });
});

describe('a manager sees the groups of its mask and no others', () => {
  test('a login outside is 8, a login that does not exist 13', async () => {
    expect((await ask(DEMO, 'user/get', { query: 'login=1003' })).retcode).toBe(0);
    expect((await ask(DEMO, 'user/get', { query: 'login=1001' })).retcode).toBe(8);
    expect((await ask(DEMO, 'user/get', { query: 'login=77777' })).retcode).toBe(13);
    expect((await ask(DEMO, 'trade/balance', { query: 'login=1001&type=2&balance=1' })).retcode).toBe(8);
    expect((await ask(DEMO, 'group/get', { query: 'group=real\\hedge-usd' })).retcode).toBe(8);
    const order = { Action: 200, Login: 1001, Symbol: 'EURUSD', Type: 0, Volume: 100 };
    expect((await ask(DEMO, 'dealer/send_request', { body: order })).retcode).toBe(8);
    const { order: ticket } = known();
    expect((await ask(DEMO, 'order/get', { query: `ticket=${ticket}` })).retcode).toBe(8);
    expect((await ask(DEMO, 'order/cancel', { query: `ticket=${ticket}` })).retcode).toBe(8);
  });

  test('lists leave out what is outside', async () => {
    const logins = (await ask(DEMO, 'user/logins', { query: 'group=*' })).json?.['answer'];
    expect(logins).toEqual(expect.arrayContaining(['1003', '1005']));
    expect(logins).not.toContain('1001');
    // demo\closed is taken out of the mask again.
    expect(logins).not.toContain('1080');
    const batch = (await ask(DEMO, 'user/account/get_batch', { query: 'login=1001,1003' })).json?.['answer'];
    expect(batch).toMatchObject([{ Login: '1003' }]);
    const groups = (await ask(DEMO, 'group/get', { query: 'mask=*' })).json?.['answer'];
    expect(groups).toMatchObject([{ Group: 'demo\\forex' }, { Group: 'demo\\netting' }, { Group: 'demo\\forex-jpy' }]);
  });
});
