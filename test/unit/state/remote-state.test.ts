import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { StateCall } from '../../../container/contract/control.ts';
import { SqliteFile } from '../../../container/host/sqlite-file.ts';
import { BridgeState } from '../../../container/state/bridge-state.ts';
import { RemoteState } from '../../../container/state/remote-state.ts';
import { STATE_METHODS } from '../../../container/state/state-methods.ts';
import { StateServer } from '../../../container/state/state-server.ts';

const wire = <T>(message: T): T => JSON.parse(JSON.stringify(message)) as T;

let remote: RemoteState;
let server: StateServer;
let seen: StateCall[];
let faults: unknown[];
beforeEach(() => {
  vi.useFakeTimers();
  seen = [];
  faults = [];
  remote = new RemoteState({ timeoutMs: 5000 });
  server = new StateServer(new BridgeState(SqliteFile.open('memory:')), (_, error) => faults.push(error));
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const attach = (): void =>
  remote.attach((call) => {
    seen.push(wire(call));
    void server.serve(wire(call)).then((answer) => remote.receive(wire(answer)));
  });

it('carries calls, values and errors of the bridge', async () => {
  attach();
  const decision = await remote.signIn.permit('a');
  expect(decision.granted).toBe(true);
  expect(await remote.operations.get('nobody', '1')).toBeNull();
  await expect(remote.operations.list({ limit: 1, cursor: 'x' })).rejects.toMatchObject({ code: 'invalid_field' });
  expect(await remote.operations.fingerprintSecret()).toMatch(/^[0-9a-f]{64}$/);
  expect(await remote.sessions.list({})).toEqual([]);
});

it('fails calls at once without a channel, and those in flight when it closes', async () => {
  await expect(remote.signIn.read()).rejects.toMatchObject({ code: 'state_unavailable', outcome: 'not_sent' });
  remote.attach(() => {});
  const inFlight = expect(remote.signIn.read()).rejects.toMatchObject({ code: 'state_unavailable' });
  remote.detach();
  await inFlight;
});

it('gives a call up at its deadline', async () => {
  remote.attach(() => {});
  const call = expect(remote.signIn.read()).rejects.toMatchObject({ code: 'state_unavailable' });
  await vi.advanceTimersByTimeAsync(5000);
  await call;
});

it('serves listed methods with valid arguments only', async () => {
  for (const [method, args] of [
    ['constructor', []],
    ['signIn.requireUnfenced', ['a']],
    ['__proto__.x', []],
    ['signIn.permit', []],
    ['signIn.permit', [{}]],
    ['operations.list', [{ limit: 1e9 }]],
    ['sessions.open', [{ tokenHash: 'x', login: 1, scopes: ['root'], openedBy: 'k', passwordChangedAt: '' }]],
  ] as const)
    expect(await server.serve({ type: 'call', id: 1, method, args })).toMatchObject({
      type: 'failure',
      code: 'internal_error',
    });
  expect(faults).toHaveLength(7);
});

it('offers each listed method on both ends', () => {
  const local = new BridgeState(SqliteFile.open('memory:'));
  for (const name of Object.keys(STATE_METHODS)) {
    const [group = '', method = ''] = name.split('.');
    for (const end of [local, remote]) {
      const methods = (end as unknown as Record<string, Record<string, unknown>>)[group];
      expect(typeof methods?.[method], name).toBe('function');
    }
  }
});
