import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BridgeError } from '../../../../container/contract/errors.ts';
import { CallTimings, type RouteAnswer, type RouteContext } from '../../../../container/service/handler.ts';
import {
  OperationRunner,
  type Mutation,
  type SendHooks,
} from '../../../../container/service/writes/operation-runner.ts';
import { done, type Settlement } from '../../../../container/service/writes/settlement.ts';
import { SessionError } from '../../../../container/session/upstream.ts';
import { SqliteFile } from '../../../../container/host/sqlite-file.ts';
import { Tags } from '../../../../container/service/writes/tags.ts';
import { BridgeState } from '../../../../container/state/bridge-state.ts';
import type { StateApi } from '../../../../container/state/state-api.ts';

let state: BridgeState;
let offline: boolean;
let unsettled: number;
let runner: OperationRunner;
beforeEach(() => {
  vi.useFakeTimers();
  state = new BridgeState(SqliteFile.open('memory:'));
  offline = false;
  unsettled = 0;
  runner = new OperationRunner({
    state: flaky(state),
    tags: new Tags(() => state.operations.fingerprintSecret()),
    instanceId: 'a',
    now: Date.now,
    onUnsettled: () => unsettled++,
    onError: () => undefined,
  });
});
afterEach(() => {
  runner.close();
  vi.useRealTimers();
});

/** The state over a channel that is sometimes closed: calls fail, as those of `RemoteState` do. */
function flaky(real: BridgeState): StateApi {
  const operations = new Proxy(real.operations, {
    get: (target, name) => {
      const method = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
      return async (...args: unknown[]) => {
        if (offline) throw new BridgeError('state_unavailable', 'closed');
        return method.apply(target, args);
      };
    },
  });
  return {
    signIn: real.signIn,
    sessions: real.sessions,
    journal: real.journal,
    keys: real.keys,
    symbols: real.symbols,
    figures: real.figures,
    cost: real.cost,
    margin: real.margin,
    operations,
  };
}

const caller = { id: 'desk', scopes: ['trade'] } as const;
const context = (key: string, signal = new AbortController().signal): RouteContext => ({
  caller,
  requestId: 'r',
  address: () => '192.0.2.1',
  deadlineAtMs: Date.now() + 1000,
  signal,
  lane: 'desk',
  timings: new CallTimings(),
  idempotencyKey: key,
  prefersMinimal: false,
  takesWhole: false,
  bodyText: '{}',
});

function run(key: string, send: (hooks: SendHooks) => Promise<Settlement>, given = context(key)): Promise<RouteAnswer> {
  const mutation: Mutation = {
    kind: 'order.place',
    login: 1001,
    trading: true,
    request: { effect: 'tagged_trade', login: 1001, pending: false, status: 201, sentBeforeMs: given.deadlineAtMs },
    send,
  };
  const answer = runner.run(given, { routeId: 'x', params: {}, query: {}, bodyText: '{}' }, async () => mutation);
  answer.catch(() => undefined);
  return answer;
}
const stateOf = async (key: string): Promise<string | undefined> => (await state.operations.get('desk', key))?.state;

it.each(['pending', 'unknown'])(
  'tells a caller whose time is over that it is %s, and settles it when the answer comes',
  async (told) => {
    const decision = Promise.withResolvers<Settlement>();
    const sent = Promise.withResolvers<void>();
    const answer = run('slow', async (hooks) => {
      hooks.onDispatch();
      if (told === 'pending') hooks.onQueued?.();
      sent.resolve();
      return decision.promise;
    });
    await sent.promise;
    await vi.advanceTimersByTimeAsync(1000);
    expect(await answer).toMatchObject({
      status: 202,
      headers: { location: '/v1/operations/slow' },
      body: { operation: { state: told, outcome: told } },
    });
    expect(await stateOf('slow')).toBe(told);
    decision.resolve(done(201, { order: { ticket: '7' } }));
    await vi.advanceTimersByTimeAsync(0);
    expect(await stateOf('slow')).toBe('done');
    expect(unsettled).toBe(1);
  },
);

it.each(['deadline', 'departure'])(
  'what still waits at its %s is called off, was never sent, and frees its key',
  async (end) => {
    const aborts = new AbortController();
    const waiting = Promise.withResolvers<void>();
    const answer = run(
      'waiting',
      (hooks) =>
        new Promise((_resolve, reject) => {
          waiting.resolve();
          hooks.signal.addEventListener('abort', () => reject(new SessionError('deadline', 'it waited too long')));
        }),
      context('waiting', aborts.signal),
    );
    await waiting.promise;
    expect(await stateOf('waiting')).toBe('sending');
    if (end === 'departure') aborts.abort();
    else await vi.advanceTimersByTimeAsync(1000);
    await expect(answer).rejects.toMatchObject({ code: 'deadline_exceeded', outcome: 'not_sent' });
    expect(await stateOf('waiting')).toBeUndefined();
  },
);

it('a failure after the request was handed over is unknown, whatever it was', async () => {
  for (const [key, error] of [
    ['session', new SessionError('lost', 'reset', { dispatched: true })],
    ['bug', new Error('anything')],
  ] as const) {
    const answer = run(key, async (hooks) => {
      hooks.onDispatch();
      throw error;
    });
    expect(await answer).toMatchObject({ status: 202, body: { operation: { state: 'unknown' } } });
  }
  expect(unsettled).toBe(2);
});

it('nothing is sent while the ledger cannot be written', async () => {
  offline = true;
  const send = vi.fn<(hooks: SendHooks) => Promise<Settlement>>();
  await expect(run('offline', send)).rejects.toMatchObject({ code: 'state_unavailable', outcome: 'not_sent' });
  expect(send).not.toHaveBeenCalled();
});

it('an outcome that cannot be written at once is told to the caller, and written as soon as it can be', async () => {
  const answer = await run('cut', async (hooks) => {
    hooks.onDispatch();
    offline = true;
    return done(201, { order: { ticket: '7' } });
  });
  expect(answer).toMatchObject({ status: 201, body: { order: { ticket: '7' } } });
  expect(await stateOf('cut')).toBe('sending');
  await vi.advanceTimersByTimeAsync(2000);
  offline = false;
  await vi.advanceTimersByTimeAsync(2000);
  expect(await stateOf('cut')).toBe('done');
});

it('one key is one request: others are refused, told to wait, or given the stored answer', async () => {
  const sent = Promise.withResolvers<void>();
  const send = vi.fn(async (hooks: SendHooks): Promise<Settlement> => {
    hooks.onDispatch();
    sent.resolve();
    await new Promise((resolve) => setTimeout(resolve, 100));
    return done(201, { order: 1 });
  });
  const first = run('key', send);
  await sent.promise;
  await expect(run('key', send)).rejects.toMatchObject({ code: 'operation_in_flight', retry: 'after' });
  await vi.advanceTimersByTimeAsync(200);
  const answer = await first;
  const again = await run('key', send);
  expect(again.body).toEqual(answer.body);
  expect(again.headers).toMatchObject({ 'idempotency-replayed': 'true' });
  const other = runner.run(
    context('key'),
    { routeId: 'x', params: {}, query: {}, bodyText: '{"other":1}' },
    async () => {
      throw new Error('not prepared');
    },
  );
  await expect(other).rejects.toMatchObject({ code: 'idempotency_key_reused' });
  expect(send).toHaveBeenCalledTimes(1);
});
