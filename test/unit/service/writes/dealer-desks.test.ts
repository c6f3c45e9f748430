import { expect, it } from 'vitest';
import { DealerDesks } from '../../../../container/service/writes/dealer-desks.ts';
import type { SendHooks } from '../../../../container/service/writes/operation-runner.ts';
import type { Upstream } from '../../../../container/session/upstream.ts';
import { ScriptedDealer } from '../../../support/scripted-dealer.ts';

const hooks = (): SendHooks => ({
  tag: 't',
  deadlineAtMs: Date.now() + 60_000,
  signal: new AbortController().signal,
  onDispatch: () => undefined,
});

it('an account that trades stays on one connection, others take the one with less to do', async () => {
  const dealers = [new ScriptedDealer(), new ScriptedDealer()] as const;
  const upstream: Upstream = {
    read: () => Promise.reject(new Error()),
    mutate: () => Promise.reject(new Error()),
    dealers,
  };
  const desks = new DealerDesks(upstream, Date.now);
  const order = (login: number): Promise<unknown> => desks.execute(login, async () => ({ Login: `${login}` }), hooks());
  const results = [1, 1, 2, 1, 2, 3].map(order);
  await expect.poll(() => dealers[0].sent.length + dealers[1].sent.length).toBe(6);
  const logins = (dealer: ScriptedDealer): Set<unknown> => new Set(dealer.sent.map(({ Login }) => Login));
  expect(logins(dealers[0])).toEqual(new Set(['1']));
  expect(logins(dealers[1])).toEqual(new Set(['2', '3']));
  for (const dealer of dealers) for (const n of dealer.sent.keys()) dealer.decide(n, '10009 Done');
  await Promise.all(results);
});

it('a connection that is not there takes nobody', async () => {
  const dealers = [new ScriptedDealer(), Object.assign(new ScriptedDealer(), { isAvailable: false })] as const;
  const upstream: Upstream = {
    read: () => Promise.reject(new Error()),
    mutate: () => Promise.reject(new Error()),
    dealers,
  };
  const desks = new DealerDesks(upstream, Date.now);
  const results = [1, 2, 3].map((login) => desks.execute(login, async () => ({}), hooks()));
  await expect.poll(() => dealers[0].sent.length).toBe(3);
  for (const n of dealers[0].sent.keys()) dealers[0].decide(n, '10009 Done');
  await Promise.all(results);
});
