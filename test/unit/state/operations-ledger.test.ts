import { beforeEach, expect, it } from 'vitest';
import { BridgeError } from '../../../container/contract/errors.ts';
import { SqliteFile } from '../../../container/host/sqlite-file.ts';
import { BridgeState } from '../../../container/state/bridge-state.ts';
import { failedWriteAnswer, operationView } from '../../../container/state/operation-view.ts';
import { OPERATION_TRANSITIONS } from '../../../container/state/operation-states.ts';
import { OPERATION_STATES, type BeginRequest, type OperationState } from '../../../container/state/state-api.ts';

let clock = { nowMs: 0 };
let state: BridgeState;
beforeEach(() => {
  clock = { nowMs: 1_700_000_000_000 };
  state = new BridgeState(SqliteFile.open('memory:'), { now: () => clock.nowMs });
});

const begin = (key: string, changes: Partial<BeginRequest> = {}) =>
  state.operations.begin({
    caller: 'desk',
    key,
    kind: 'order',
    tag: `tag-${key}`,
    login: 1001,
    fingerprint: 'f1',
    request: '{}',
    instanceId: 'a',
    deadlineAtMs: clock.nowMs + 1000,
    trading: true,
    budget: changes.caller ?? 'desk',
    ...changes,
  });

it('starts a key once: in flight while sending, replayed with its answer after', async () => {
  expect((await begin('1')).kind).toBe('started');
  expect((await begin('1')).kind).toBe('in_flight');
  expect((await begin('1', { fingerprint: 'f2' })).kind).toBe('other_body');
  expect((await begin('1', { caller: 'other' })).kind).toBe('started');
  await state.operations.move('desk', '1', { to: 'done', answer: { status: 201, body: '{"order":1}' } });
  expect(await begin('1')).toMatchObject({
    kind: 'replay',
    operation: { state: 'done', answer: { status: 201, body: '{"order":1}' } },
  });
});

it('counts what waits for the bridge, and what waits for a person', async () => {
  const moved = async (key: string, to: OperationState, changes: Partial<BeginRequest> = {}): Promise<void> => {
    await begin(key, changes);
    await state.operations.move('desk', key, { to: 'unknown' });
    if (to !== 'unknown') await state.operations.move('desk', key, { to });
  };
  await moved('order', 'unresolved');
  await moved('deposit', 'unresolved', { kind: 'balance', trading: false });
  await moved('pending', 'pending');
  await moved('unknown', 'unknown');
  await moved('done', 'done');
  expect(await state.operations.waiting()).toEqual({ unsettled: 2, needLook: { orders: 1, others: 1 } });
});

it('frees a key whose request was never sent, and only with its tag', async () => {
  await begin('1');
  expect(await state.operations.drop('desk', '1', 'tag of another')).toBe(false);
  expect(await state.operations.drop('desk', '1', 'tag-1')).toBe(true);
  expect((await begin('1', { fingerprint: 'f2' })).kind).toBe('started');
  await state.operations.move('desk', '1', { to: 'unknown' });
  expect(await state.operations.drop('desk', '1', 'tag-1')).toBe(false);
});

it('writes no row after the deadline', async () => {
  await expect(begin('1', { deadlineAtMs: clock.nowMs })).rejects.toMatchObject({ code: 'deadline_exceeded' });
  expect(await state.operations.get('desk', '1')).toBeNull();
});

it('allows the transitions of its table and no others', async () => {
  const road: Record<OperationState, readonly OperationState[]> = {
    sending: [],
    pending: ['pending'],
    done: ['done'],
    partial: ['partial'],
    refused: ['refused'],
    unknown: ['unknown'],
    not_executed: ['unknown', 'not_executed'],
    unresolved: ['unknown', 'unresolved'],
  };
  for (const from of OPERATION_STATES)
    for (const to of OPERATION_STATES) {
      const key = `${from}-${to}`;
      await begin(key);
      for (const step of road[from]) expect(await state.operations.move('desk', key, { to: step })).toBe(true);
      expect(await state.operations.move('desk', key, { to }), key).toBe(OPERATION_TRANSITIONS[from].includes(to));
    }
});

it('makes rows of processes that are gone unknown, and lists them for settling', async () => {
  await begin('1', { instanceId: 'dead' });
  await begin('2', { instanceId: 'alive' });
  expect(await state.operations.orphan('alive')).toBe(1);
  expect((await state.operations.unsettled(10)).map((row) => [row.key, row.state])).toEqual([['1', 'unknown']]);
});

it('counts empty looks and still lists a row that may be found late', async () => {
  await begin('1');
  await state.operations.move('desk', '1', { to: 'unknown' });
  await state.operations.move('desk', '1', { to: 'unknown', emptyLook: true });
  await state.operations.move('desk', '1', { to: 'not_executed', emptyLook: true });
  expect(await state.operations.get('desk', '1')).toMatchObject({ state: 'not_executed', emptyLooks: 2 });
  expect(await state.operations.unsettled(10)).toHaveLength(1);
  clock.nowMs += 16 * 60_000;
  expect(await state.operations.unsettled(10)).toHaveLength(0);
  expect(await state.operations.move('desk', '1', { to: 'done' })).toBe(true);
});

it('keeps settled rows seven days, unsettled ones for good', async () => {
  await begin('settled');
  await state.operations.move('desk', 'settled', { to: 'done' });
  await begin('open');
  await state.operations.move('desk', 'open', { to: 'unknown' });
  clock.nowMs += 25 * 3_600_000;
  await begin('x');
  expect(await state.operations.get('desk', 'settled')).not.toBeNull();
  clock.nowMs += 7 * 86_400_000;
  await begin('y');
  expect(await state.operations.get('desk', 'settled')).toBeNull();
  expect(await state.operations.get('desk', 'open')).not.toBeNull();
});

it('refuses trading while halted, and more orders per minute than allowed', async () => {
  await state.operations.halt({ kind: 'all', value: '' }, 'audit');
  expect(await begin('1')).toEqual({ kind: 'halted', reason: 'audit' });
  expect((await begin('2', { trading: false })).kind).toBe('started');
  await state.operations.resume({ kind: 'all', value: '' });
  const kinds = await Promise.all(
    Array.from({ length: 8 }, (_, n) => begin(`n${n}`, { limits: { ordersPerMinute: 3, readForMs: 0 } })),
  );
  expect(kinds.filter((decision) => decision.kind === 'started')).toHaveLength(3);
  expect(kinds.at(-1)).toEqual({ kind: 'limited', retryAfterMs: 60_000 });
});

it('pages through operations, newest first, by caller and state', async () => {
  for (const key of ['1', '2', '3']) await begin(key);
  await begin('4', { caller: 'other' });
  const first = await state.operations.list({ caller: 'desk', limit: 2 });
  expect(first.items.map((row) => row.key)).toEqual(['3', '2']);
  const second = await state.operations.list({ caller: 'desk', limit: 2, cursor: first.nextCursor ?? '' });
  expect(second).toMatchObject({ items: [{ key: '1' }], nextCursor: null });
  await expect(state.operations.list({ limit: 2, cursor: 'x' })).rejects.toMatchObject({ code: 'invalid_field' });
});

it('tells what became of a write whose container died', async () => {
  const write = { caller: 'desk', key: '1', requestId: 'r' };
  const died = new BridgeError('container_unavailable', 'The container stopped.');
  const none = await failedWriteAnswer(state, write, died);
  expect(none.status).toBe(503);
  expect(JSON.parse(none.body)).toMatchObject({ code: 'container_unavailable', outcome: 'not_sent', requestId: 'r' });
  await begin('1');
  const sent = await failedWriteAnswer(state, write, died);
  expect(sent).toMatchObject({ status: 202, headers: { location: '/v1/operations/1' } });
  expect(JSON.parse(sent.body)).toMatchObject({ operation: { key: '1', state: 'unknown', outcome: 'unknown' } });
  await state.operations.move('desk', '1', { to: 'done', answer: { status: 201, body: '{"order":{"ticket":7}}' } });
  expect(await failedWriteAnswer(state, write, died)).toMatchObject({ status: 201, body: '{"order":{"ticket":7}}' });
  const operation = await state.operations.get('desk', '1');
  expect(operation && operationView(operation)).toMatchObject({ state: 'done', result: { order: { ticket: 7 } } });
});

it('halts a group, a symbol or a login, and nobody else', async () => {
  const trade = (key: string, login: number, symbol: string, group: string) =>
    begin(key, { login, symbol, group }).then(({ kind }) => kind);
  await state.operations.halt({ kind: 'group', value: 'real\\*' }, 'margin');
  await state.operations.halt({ kind: 'symbol', value: 'XAUUSD' }, 'news');
  await state.operations.halt({ kind: 'login', value: '1003' }, 'fraud');
  expect(await trade('1', 1001, 'EURUSD', 'demo\\forex')).toBe('started');
  expect(await trade('2', 1001, 'EURUSD', 'real\\std')).toBe('halted');
  expect(await trade('3', 1001, 'XAUUSD', 'demo\\forex')).toBe('halted');
  expect(await trade('4', 1003, 'EURUSD', 'demo\\forex')).toBe('halted');
  // A raw dealer request that does not tell could be any of them.
  expect((await begin('5', { login: null })).kind).toBe('halted');
  await state.operations.resume({ kind: 'group', value: 'real\\*' });
  expect(await trade('6', 1001, 'EURUSD', 'real\\std')).toBe('started');
});

it('counts what is on its way against a limit, and what was executed since the books were read', async () => {
  const order = (key: string, held = 0, readForMs = 0) =>
    begin(key, {
      symbol: 'EURUSD',
      trade: { side: 'buy', volume: '100000000' },
      limits: { maxPositions: { most: 3, held }, maxExposure: { most: '300000000', held: '0' }, readForMs },
    }).then(({ kind }) => kind);
  const kinds = await Promise.all(Array.from({ length: 50 }, (_, n) => order(`p${n}`)));
  expect(kinds.filter((kind) => kind === 'started')).toHaveLength(3);
  await state.operations.move('desk', 'p0', { to: 'done' });
  // The books were read before p0 was executed, and do not show it.
  expect(await order('late', 0, 5000)).toBe('over_limit');
  await state.operations.move('desk', 'p1', { to: 'refused' });
  clock.nowMs += 10_000;
  // p0 is in the books by now, p2 still under way, p1 gone.
  expect(await order('next', 1)).toBe('started');
  expect(await order('more', 1)).toBe('over_limit');
});

it('adds up the money of a day', async () => {
  const move = (key: string, amount: string) =>
    begin(key, { trading: false, amount, limits: { maxAmountPerDay: '100', readForMs: 0 } }).then(({ kind }) => kind);
  expect(await move('1', '60')).toBe('started');
  expect(await move('2', '60')).toBe('over_limit');
  expect(await move('3', '40')).toBe('started');
  await state.operations.move('desk', '1', { to: 'refused' });
  expect(await move('4', '60')).toBe('started');
  clock.nowMs += 86_400_000;
  expect(await move('5', '100')).toBe('started');
});
