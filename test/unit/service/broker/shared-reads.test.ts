import { expect, test } from 'vitest';
import { Broker } from '../../../../container/service/broker/broker.ts';
import type { CallOptions, CallSignal, Upstream } from '../../../../container/session/upstream.ts';
import { fakeUpstream } from '../../../support/fake-upstream.ts';

/** Callers of the same read share one call: it lives as long as one of them waits, and no longer. */
test('a read that every caller has left is taken back; while one waits it is not', async () => {
  const answer = Promise.withResolvers<string>();
  const sent: CallSignal[] = [];
  const fake = fakeUpstream(() => answer.promise);
  const upstream: Upstream = {
    ...fake,
    read: (command, options: CallOptions) => {
      if (options.signal) sent.push(options.signal);
      return fake.read(command, options);
    },
  };
  const broker = new Broker({ upstream, now: Date.now, cacheSize: 10 });
  const caller = (): { abort: AbortController; outcome: Promise<unknown> } => {
    const abort = new AbortController();
    const context = { deadlineAtMs: Date.now() + 60_000, signal: abort.signal };
    const outcome = broker.read('user/get', [['login', '1001']], context).then(
      ({ retcode }) => retcode,
      (error: unknown) => error,
    );
    return { abort, outcome };
  };
  const first = caller();
  const second = caller();
  first.abort.abort();
  expect(await first.outcome).toBeInstanceOf(Error);
  expect(sent.map(({ aborted }) => aborted)).toEqual([false]);
  second.abort.abort();
  expect(await second.outcome).toBeInstanceOf(Error);
  expect(sent.map(({ aborted }) => aborted)).toEqual([true]);

  const third = caller();
  answer.resolve('{"retcode":"0 Done","answer":{"Login":"1001"}}');
  expect(await third.outcome).toBe(0);
  expect(sent.map(({ aborted }) => aborted)).toEqual([true, false]);
});
