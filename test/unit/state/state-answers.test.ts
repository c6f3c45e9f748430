import { beforeEach, expect, it } from 'vitest';
import type { Caller } from '../../../container/contract/keys.ts';
import { SqliteFile } from '../../../container/host/sqlite-file.ts';
import { BridgeState } from '../../../container/state/bridge-state.ts';
import { callerOfSession } from '../../../container/state/consumer-session-view.ts';
import { STATE_ANSWERS } from '../../../container/state/state-answers.ts';

const ADMIN: Caller = { id: 'ops', scopes: ['admin'] };
const TRADER: Caller = { id: 'desk', scopes: ['trade'] };

let state: BridgeState;
beforeEach(() => {
  state = new BridgeState(SqliteFile.open('memory:'), { now: () => 1_700_000_000_000 });
});

const ask = (
  id: keyof typeof STATE_ANSWERS,
  caller: Caller,
  input: { params?: unknown; query?: unknown; body?: unknown } = {},
) =>
  STATE_ANSWERS[id](state, { params: {}, query: {}, body: undefined, decimals: 'string', ...input }, caller, {
    caller: caller.id,
  });

const begin = (caller: string, key: string) =>
  state.operations.begin({
    caller,
    key,
    kind: 'order.place',
    tag: `t-${key}`,
    login: 1001,
    fingerprint: 'f',
    request: '{}',
    instanceId: 'a',
    deadlineAtMs: 2_000_000_000_000,
    trading: true,
    budget: caller,
  });

it('shows operations to their owner, and to administrators that ask for them', async () => {
  await begin('desk', 'a');
  await begin('other', 'b');
  expect(await ask('getOperation', TRADER, { params: { key: 'a' } })).toMatchObject({ key: 'a', state: 'sending' });
  await expect(ask('getOperation', TRADER, { params: { key: 'b' } })).rejects.toMatchObject({
    code: 'operation_not_found',
  });
  expect(await ask('listOperations', TRADER, { query: { limit: 10 } })).toMatchObject({ items: [{ key: 'a' }] });
  await expect(ask('listOperations', TRADER, { query: { limit: 10, caller: '*' } })).rejects.toMatchObject({
    code: 'scope_missing',
  });
  expect(await ask('listOperations', ADMIN, { query: { limit: 10, caller: '*' } })).toMatchObject({
    items: [
      { key: 'b', caller: 'other' },
      { key: 'a', caller: 'desk' },
    ],
  });
  const other = { params: { key: 'b' }, query: { caller: 'other' } };
  expect(await ask('getOperation', ADMIN, other)).toMatchObject({ key: 'b', caller: 'other' });
  await expect(ask('getOperation', TRADER, other)).rejects.toMatchObject({ code: 'scope_missing' });
});

it('halts and resumes trading', async () => {
  expect(await ask('haltTrading', ADMIN, { body: { reason: 'audit' } })).toMatchObject({
    halted: true,
    reason: 'audit',
    since: '2023-11-14T22:13:20.000Z',
  });
  expect(await begin('desk', 'a')).toEqual({ kind: 'halted', reason: 'audit' });
  expect(await ask('resumeTrading', ADMIN, { body: {} })).toMatchObject({ halted: false });
  expect(await ask('getTradingHalt', ADMIN)).toMatchObject({ halted: false, since: null });
});

it('shows, ends and revokes sessions without anything that opens them', async () => {
  state.keys.bootstrap([
    { id: 'web', hash: `sha256:${'e'.repeat(64)}`, scopes: ['trade'], limits: { maxVolumeLots: '1.00' } },
  ]);
  const tokenHash = `sha256:${'a'.repeat(64)}`;
  const session = await state.sessions.open({
    tokenHash,
    login: 1001,
    scopes: ['read'],
    openedBy: 'web',
    passwordChangedAt: '1',
  });
  const trader = callerOfSession(session);
  expect(trader).toMatchObject({ logins: [[1001, 1001]], limits: { maxVolumeLots: '1.00' } });
  const shown = await ask('getCurrentSession', trader);
  expect(shown).toMatchObject({ id: session.id, login: 1001, expiresAt: '2023-11-14T23:13:20.000Z' });
  expect(JSON.stringify(await ask('listSessions', ADMIN))).not.toContain('aaaa');
  await expect(ask('getCurrentSession', TRADER)).rejects.toMatchObject({ code: 'object_not_found' });
  expect(await ask('endCurrentSession', trader)).toEqual({ revoked: true });
  await expect(ask('getCurrentSession', trader)).rejects.toMatchObject({ code: 'unauthenticated' });
  expect(await ask('revokeSession', ADMIN, { params: { id: session.id } })).toEqual({ revoked: false });
});
