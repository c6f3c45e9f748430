import { abortAllDurableObjects, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import { BridgeState } from '../../container/state/bridge-state.ts';
import { OPERATION_STATES, type BeginRequest, type StateApi } from '../../container/state/state-api.ts';
import { StorageSql } from '../../worker/storage-sql.ts';
import type { BridgeContainer } from './worker.ts';

/** The state over a Durable Object's own SQLite, whose dialect is not quite that of `node:sqlite`. */
const object = () => {
  const id = env.BRIDGE.newUniqueId();
  const stub = (): DurableObjectStub<BridgeContainer> => env.BRIDGE.get(id) as DurableObjectStub<BridgeContainer>;
  return {
    run: <T>(body: (state: BridgeState, sql: StorageSql, warnings: string[]) => Promise<T>): Promise<T> =>
      runInDurableObject(stub(), (_instance, { storage }) => {
        const warnings: string[] = [];
        const sql = new StorageSql(storage);
        const now = (): number => 1_700_000_000_000;
        return body(new BridgeState(sql, { now, warn: (message) => warnings.push(message) }), sql, warnings);
      }),
    abort: abortAllDurableObjects,
  };
};

const begin = (state: StateApi, key: string, changes: Partial<BeginRequest> = {}) =>
  state.operations.begin({
    caller: 'desk',
    key,
    kind: 'order.place',
    tag: `tag-${key}`,
    login: 1001,
    fingerprint: 'f',
    request: '{}',
    instanceId: 'first',
    deadlineAtMs: 1_800_000_000_000,
    trading: true,
    budget: 'desk',
    limits: { ordersPerMinute: 100, readForMs: 0 },
    ...changes,
  });

it('operations outlive an abort of the object at every point of their life', async () => {
  const { run, abort } = object();
  await run(async (state) => {
    for (const key of OPERATION_STATES) {
      await begin(state, key);
      if (key === 'not_executed' || key === 'unresolved') await state.operations.move('desk', key, { to: 'unknown' });
      if (key !== 'sending') await state.operations.move('desk', key, { to: key, answer: { status: 201, body: '{}' } });
    }
    await begin(state, 'sent by the next process', { instanceId: 'second' });
  });
  await abort();
  await run(async (state, _sql, warnings) => {
    expect(warnings).toEqual([]);
    // No process runs: nobody can still be sending.
    for (const key of OPERATION_STATES)
      expect((await state.operations.get('desk', key))?.state, key).toBe(key === 'sending' ? 'unknown' : key);
    expect((await begin(state, 'sending')).kind).toBe('replay');
    expect((await begin(state, 'done')).kind).toBe('replay');
    expect((await state.operations.unsettled(10)).map(({ key }) => key)).toEqual([
      'sending',
      'pending',
      'unknown',
      'not_executed',
      'sent by the next process',
    ]);
    expect((await state.operations.list({ caller: 'desk', state: 'unknown', limit: 10 })).items).toHaveLength(3);
  });
});

it('sign-in, sessions, halt and journal are kept, and a permit that was never answered for is a failure', async () => {
  const { run, abort } = object();
  const tokenHash = `sha256:${'b'.repeat(64)}`;
  await run(async (state) => {
    const permit = await state.signIn.permit('first');
    if (!permit.granted) throw new Error(permit.reason);
    await state.signIn.succeeded('first', { permitId: permit.permitId, address: 'broker:443', serverBuild: '4000' });
    expect(await state.signIn.permit('second')).toMatchObject({ granted: true });
    await state.keys.create({
      id: 'web',
      hash: `sha256:${'e'.repeat(64)}`,
      scopes: ['trade'],
      limits: { maxVolumeLots: '1.00' },
    });
    await state.sessions.open({
      tokenHash,
      login: 1001,
      scopes: ['read', 'trade'],
      openedBy: 'web',
      passwordChangedAt: '5',
    });
    await state.operations.halt({ kind: 'all', value: '' }, 'audit');
  });
  await abort();
  await run(async (state) => {
    expect(await state.signIn.read()).toMatchObject({ epoch: 1, instanceId: 'first', failures: 1 });
    expect(await state.signIn.permit('third')).toMatchObject({ granted: false });
    expect(await state.sessions.find(tokenHash)).toMatchObject({ login: 1001, limits: { maxVolumeLots: '1.00' } });
    expect(await begin(state, 'x')).toEqual({ kind: 'halted', reason: 'audit' });
    expect((await state.journal.list(10)).map(({ event }) => event)).toEqual(['key', 'ready']);
  });
});

it('state of a newer version is set aside unread', async () => {
  const { run } = object();
  await run(async (state, sql) => {
    await begin(state, 'old');
    sql.run('UPDATE bridge_schema SET version = 99');
  });
  await run(async (state, sql, warnings) => {
    expect(warnings.join()).toContain('version 99');
    expect(await begin(state, 'new')).toMatchObject({
      kind: 'halted',
      reason: expect.stringContaining('version 99') as string,
    });
    expect(await begin(state, 'old')).toMatchObject({ kind: 'replay', operation: { key: 'old', state: 'unknown' } });
    await state.operations.resume({ kind: 'all', value: '' });
    expect(await state.operations.get('desk', 'old')).toBeNull();
    expect((await begin(state, 'new')).kind).toBe('started');
    expect(sql.run('SELECT operation_key FROM aside_1700000000000_operations')).toEqual([{ operation_key: 'old' }]);
  });
});
