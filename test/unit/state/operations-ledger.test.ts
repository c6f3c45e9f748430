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
  await state.operations.setHalted(true, 'audit');
  expect(await begin('1')).toEqual({ kind: 'halted', reason: 'audit' });
  expect((await begin('2', { trading: false })).kind).toBe('started');
  await state.operations.setHalted(false, '');
  const kinds = await Promise.all(Array.from({ length: 8 }, (_, n) => begin(`n${n}`, { perMinute: 3 })));
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
