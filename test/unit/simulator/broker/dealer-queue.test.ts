import { describe, expect, test } from 'vitest';
import { MOST_OUTSTANDING, UNPOLLED_MS } from '../../../simulator/broker/dealer-queue.ts';
import { parseTradeRequest } from '../../../simulator/broker/trade-request.ts';
import { TestBroker } from '../../../support/broker.ts';

const ONE = 1;
const OTHER = 2;

function desk() {
  const it = new TestBroker({ clients: 0 });
  const login = it.client('demo\\forex', 1_000_000_00);
  const { dealers } = it.world;
  const request = parseTradeRequest(
    { Action: '200', Login: String(login), Symbol: 'EURUSD', Type: '0', Volume: '100' },
    1000,
  );
  if (request === undefined) throw new Error('not a request');
  const send = (connection = ONE): number => {
    const sent = dealers.send(connection, request);
    if ('retcode' in sent) throw new Error(`refused: ${sent.retcode}`);
    return sent.id;
  };
  const poll = (ids?: readonly number[], connection = ONE): (readonly [number, readonly string[]])[] =>
    [...dealers.poll(connection, ids)].map(([{ id }, events]) => [
      id,
      events.map(({ kind, outcome }) => `${kind} ${outcome.retcode}`),
    ]);
  return { it, login, dealers, request, send, poll };
}

describe('a request and its results', () => {
  test('nothing, then accepted, then the confirmation and the answer; then it is forgotten', () => {
    const { it, send, poll, login } = desk();
    it.broker.dealer.set({ delayMs: 100 });
    const id = send();
    expect(poll([id])).toEqual([[id, []]]);
    expect(it.positions(login)).toHaveLength(0);
    it.pass(60);
    expect(poll([id])).toEqual([[id, ['result 10002']]]);
    it.pass(60);
    expect(it.positions(login)).toHaveLength(1);
    expect(poll()).toEqual([[id, ['result 10002', 'result 10009', 'answer 10009']]]);
    expect(poll([id])).toEqual([]);
  });

  test('belong to the connection that asked', () => {
    const { send, poll } = desk();
    const id = send(ONE);
    expect(poll([id], OTHER)).toEqual([]);
    expect(poll(undefined, OTHER)).toEqual([]);
    expect(poll([id], ONE)).toHaveLength(1);
  });

  test('go with the connection, but what was queued is carried out', () => {
    const { it, send, poll, login } = desk();
    it.broker.dealer.set({ delayMs: 50 });
    const id = send();
    it.broker.connectionLost(ONE);
    expect(poll([id])).toEqual([]);
    it.pass(60);
    expect(it.positions(login)).toHaveLength(1);
    expect(it.broker.mutations).toBe(1);
    expect(poll([id])).toEqual([]);
  });

  test('are forgotten after three minutes without polling', () => {
    const { it, send, poll } = desk();
    const [kept, lost] = [send(), send()];
    it.broker.dealer.set({ delayMs: 1000 });
    const waiting = send();
    it.pass(UNPOLLED_MS - 1);
    expect(poll([waiting])).toHaveLength(1);
    expect(poll([kept])).toHaveLength(1);
    it.pass(1);
    expect(poll([lost])).toEqual([]);
  });

  test('128 outstanding, the next is refused; one delivered makes room', () => {
    const { dealers, request, send, poll } = desk();
    const ids = Array.from({ length: MOST_OUTSTANDING }, () => send());
    expect(dealers.send(ONE, request)).toEqual({ retcode: 10024 });
    expect(dealers.send(OTHER, request)).toHaveProperty('id');
    poll(ids.slice(0, 1));
    expect(dealers.send(ONE, request)).toHaveProperty('id');
  });
});

describe('what the dealer may say', () => {
  test.each([
    ['requote', 10004],
    ['reject', 10006],
    ['timeout', 10012],
    ['price-changed', 10020],
    ['prices-off', 10021],
    [10028, 10028],
  ] as const)('%s, once, without touching the books', (answer, retcode) => {
    const { it, login } = desk();
    expect(it.broker.dealer.set({ next: [answer] })).toBeUndefined();
    expect(it.market(login, 'EURUSD', 'buy', 1).retcode).toBe(retcode);
    expect(it.broker.mutations).toBe(0);
    expect(it.market(login, 'EURUSD', 'buy', 1).retcode).toBe(10009);
  });

  test('nothing at all: the request hangs, is never carried out and is forgotten unpolled', () => {
    const { it, send, poll, login } = desk();
    it.broker.dealer.set({ next: ['hang'] });
    const id = send();
    it.pass(60_000);
    expect(poll([id])).toEqual([[id, []]]);
    it.pass(UNPOLLED_MS);
    expect(poll([id])).toEqual([]);
    expect(it.positions(login)).toHaveLength(0);
  });

  test.each([
    [{ delayMs: -1 }, 'delayMs'],
    [{ partialPercent: 100 }, 'partialPercent'],
    [{ next: ['maybe'] }, 'next'],
    ['x', 'object'],
  ])('settings that do not fit are named: %j', (change, name) =>
    expect(desk().it.broker.dealer.set(change)).toContain(name),
  );
});
