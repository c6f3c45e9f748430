import { expect, it } from 'vitest';
import { createReadService, type ReadService } from '../../../../container/service/reads/read-service.ts';
import type { Command } from '../../../../container/session/upstream.ts';
import { fakeUpstream } from '../../../support/fake-upstream.ts';

/** A broker with many accounts, that gives so many rows of a batch at most and says when there are more (14). */
class Broker {
  readonly most: number;
  readonly takesGroups: boolean;
  readonly groupOf = new Map<string, string>();
  readonly positions: {
    Position: string;
    Login: string;
    Symbol: string;
    Action: string;
    Volume: string;
    Profit: string;
  }[] = [];
  dealt: string[] = [];
  asked: string[] = [];

  constructor({ most = 100, takesGroups = true } = {}) {
    this.most = most;
    this.takesGroups = takesGroups;
    for (let i = 0; i < 1500; i++) this.groupOf.set(`${1001 + i}`, ['usd\\a', 'usd\\b', 'eur\\c'][i % 3] ?? '');
    for (let i = 0; i < 1500; i += 10)
      for (let n = 0; n <= (i === 0 ? 150 : 1); n++) this.open(`${1001 + i}`, `${100_000 + i * 1000 + n}`);
  }

  open(Login: string, Position: string): void {
    const Action = this.positions.length % 2 === 0 ? '0' : '1';
    this.positions.push({ Position, Login, Symbol: 'EURUSD', Action, Volume: '1000', Profit: '0.10' });
  }

  answer({ path, query = [] }: Command): string {
    const of = new Map(query);
    const mask = of.get('group');
    this.asked.push(
      `${path} ${[...of]
        .filter(([name]) => name !== 'from' && name !== 'to')
        .map(([name, value]) => `${name}=${value.slice(0, 20)}`)
        .join(' ')}`,
    );
    const fits = (group: string): boolean =>
      mask === undefined ||
      mask.split(',').some((part) => part === group || (part.endsWith('*') && group.startsWith(part.slice(0, -1))));
    const logins =
      of.get('login')?.split(',') ?? [...this.groupOf].filter(([, group]) => fits(group)).map(([login]) => login);
    const inLogins = new Set(logins);
    if (path === 'group/get') {
      const wanted = (of.get('mask') ?? '').split(',');
      const groups = ['usd\\a', 'usd\\b', 'eur\\c'].filter((name) =>
        wanted.some((part) => part === '*' || part === name),
      );
      return this.#told(groups.map((Group) => ({ Group, Currency: Group.slice(0, 3).toUpperCase() })));
    }
    if (path === 'user/logins') return JSON.stringify({ retcode: '0 Done', answer: logins });
    if (path.endsWith('/get_batch') && mask !== undefined && !this.takesGroups)
      return '{"retcode":"3 Invalid parameters"}';
    if (path === 'deal/get_batch') return this.#told(this.dealt.map((Login) => ({ Deal: '1', Login, Time: '1' })));
    const rows = this.positions.filter(({ Login }) => inLogins.has(Login));
    if (path === 'position/get_batch') return this.#told(rows);
    if (path === 'position/get_total')
      return JSON.stringify({ retcode: '0 Done', answer: { total: `${rows.length}` } });
    if (path === 'position/get_page') {
      const from = Number(of.get('offset'));
      return JSON.stringify({
        retcode: '0 Done',
        answer: rows.slice(from, from + Math.min(100, Number(of.get('total')))),
      });
    }
    return '{"retcode":"13 Not found"}';
  }

  #told(rows: readonly object[]): string {
    const retcode = rows.length > this.most ? '14 Partial' : '0 Done';
    return JSON.stringify({ retcode, answer: rows.slice(0, this.most) });
  }
}

const serviceOver = (
  broker: Broker,
  isWriting = (): boolean => false,
  answer = (command: Command): string | Promise<string> => broker.answer(command),
): ReadService =>
  createReadService({
    upstream: fakeUpstream(answer),
    now: () => nowMs,
    cacheSize: 100,
    atOnce: 3,
    isWriting,
    serverBuild: async () => null,
  });
const nowMs = Date.now();
const context = {
  deadlineAtMs: nowMs + 60_000,
  signal: new AbortController().signal,
  caller: { id: 'test', scopes: ['read' as const] },
};

async function positionsOf(service: ReadService, group: string): Promise<string[]> {
  const tickets: string[] = [];
  for await (const part of service.tradeData.everyPosition({ group }, {}, context))
    tickets.push(...part.map(({ ticket }) => ticket));
  return tickets.sort();
}
const all = (broker: Broker): string[] => broker.positions.map(({ Position }) => Position).sort();
const about = (broker: Broker, path: string): string[] => broker.asked.filter((line) => line.startsWith(`${path} `));

it('a mask that one answer holds is one question', async () => {
  const broker = new Broker({ most: 5000 });
  expect(await positionsOf(serviceOver(broker), '*')).toEqual(all(broker));
  expect(about(broker, 'position/get_batch')).toEqual(['position/get_batch group=*']);
  expect(about(broker, 'user/logins')).toEqual([]);
});

it('one that is wider is asked for by group, by logins, by halves and by pages, until it is whole', async () => {
  const broker = new Broker({ most: 100 });
  const service = serviceOver(broker);
  expect(await positionsOf(service, '*')).toEqual(all(broker));
  expect(about(broker, 'position/get_page').length).toBeGreaterThan(0);
  // What the server showed not to give at once is not asked for again.
  broker.asked = [];
  expect(await positionsOf(service, '*')).toEqual(all(broker));
  expect(about(broker, 'position/get_batch').filter((line) => line.includes('group=*'))).toEqual([]);
});

it('a server that takes no group is asked for it once', async () => {
  const broker = new Broker({ most: 5000, takesGroups: false });
  const service = serviceOver(broker);
  expect(await positionsOf(service, '*')).toEqual(all(broker));
  expect(await positionsOf(service, 'usd*')).toHaveLength(
    broker.positions.filter(({ Login }) => broker.groupOf.get(Login) !== 'eur\\c').length,
  );
  expect(about(broker, 'position/get_batch').filter((line) => line.includes('group='))).toHaveLength(1);
});

it('accounts without positions are asked again when a deal of theirs is seen, and not before', async () => {
  const broker = new Broker({ most: 5000, takesGroups: true });
  // Positions come by logins only; deals by group.
  const answer = broker.answer.bind(broker);
  broker.answer = (command) =>
    command.path === 'position/get_batch' && command.query?.some(([name]) => name === 'group')
      ? '{"retcode":"3 Invalid parameters"}'
      : answer(command);
  const service = serviceOver(broker);
  await positionsOf(service, '*');
  const asked = about(broker, 'position/get_batch').length;
  broker.asked = [];
  broker.open('1002', '777');
  expect(await positionsOf(service, '*')).not.toContain('777');
  expect(about(broker, 'position/get_batch').length).toBeLessThan(asked);
  broker.dealt = ['1002'];
  expect(await positionsOf(service, '*')).toEqual(all(broker));
});

it('exposure is summed exactly, by symbol and currency, and not of a part', async () => {
  const broker = new Broker({ most: 100 });
  const { items } = await serviceOver(broker).exposure.of({ group: '*' }, context);
  expect(items.map(({ symbol, currency }) => `${symbol} ${currency}`)).toEqual(['EURUSD EUR', 'EURUSD USD']);
  for (const { currency, longLots, shortLots, netLots, accounts, profit } of items) {
    const rows = broker.positions.filter(({ Login }) =>
      broker.groupOf.get(Login)?.startsWith((currency ?? '').toLowerCase()),
    );
    const long = rows.filter(({ Action }) => Action === '0').length;
    expect(longLots).toBe((long / 10).toFixed(2));
    expect(shortLots).toBe(((rows.length - long) / 10).toFixed(2));
    expect(Number(netLots)).toBeCloseTo((2 * long - rows.length) / 10, 8);
    expect(accounts).toBe(new Set(rows.map(({ Login }) => Login)).size);
    expect(profit).toBe((rows.length / 10).toFixed(2));
  }
});

it('exposure with a position that cannot be read is refused, not summed without it', async () => {
  const broker = new Broker({ most: 5000 });
  broker.positions[7] = { ...(broker.positions[7] as (typeof broker.positions)[number]), Profit: 'n/a' };
  const exposure = serviceOver(broker).exposure.of({ group: '*' }, context);
  await expect(exposure).rejects.toMatchObject({ code: 'broker_malformed' });
});

it('who may see no deals is asked for every account again', async () => {
  const broker = new Broker({ most: 5000 });
  const answer = broker.answer.bind(broker);
  broker.answer = (command) => {
    if (command.path === 'deal/get_batch') return '{"retcode":"8 Not enough permissions"}';
    const isByGroup = command.query?.some(([name]) => name === 'group') ?? false;
    return command.path === 'position/get_batch' && isByGroup ? '{"retcode":"3 Invalid parameters"}' : answer(command);
  };
  const service = serviceOver(broker);
  await positionsOf(service, '*');
  broker.open('1002', '777');
  expect(await positionsOf(service, '*')).toEqual(all(broker));
});

it('while somebody writes, one question at a time and a quarter as long; nothing is missing when that changes', async () => {
  const broker = new Broker({ most: 5000, takesGroups: false });
  /** By whether somebody writes: the most questions on their way, and the most logins of one. */
  const seen = { true: { atOnce: 0, logins: 0 }, false: { atOnce: 0, logins: 0 } };
  let underWay = 0;
  let questions = 0;
  // It changes with every tenth question; those on their way then belong to what was before.
  const isWriting = (): boolean => Math.floor(questions / 10) % 2 === 1;
  const service = serviceOver(broker, isWriting, async (command) => {
    const logins = command.query?.find(([name]) => name === 'login')?.[1].split(',').length ?? 0;
    if (logins === 0) return broker.answer(command);
    questions++;
    underWay++;
    const isSettled = questions % 10 > 5;
    const figures = seen[`${isWriting()}`];
    if (isSettled) {
      figures.atOnce = Math.max(figures.atOnce, underWay);
      figures.logins = Math.max(figures.logins, logins);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
    underWay--;
    return broker.answer(command);
  });
  for (let turn = 0; turn < 3; turn++) expect(await positionsOf(service, '*')).toEqual(all(broker));
  expect(questions).toBeGreaterThan(40);
  expect(seen.true).toEqual({ atOnce: 1, logins: expect.any(Number) as number });
  expect(seen.true.logins).toBeLessThanOrEqual(50);
  expect(seen.false.atOnce).toBe(3);
  expect(seen.false.logins).toBeGreaterThan(50);
});
