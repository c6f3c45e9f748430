import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DealerDesk } from '../../../../container/service/writes/dealer-desk.ts';
import type { DealerResult } from '../../../../container/service/writes/dealer-results.ts';
import type { SendHooks } from '../../../../container/service/writes/operation-runner.ts';
import { replyOf, ScriptedDealer } from '../../../support/scripted-dealer.ts';

let dealer: ScriptedDealer;
let desk: DealerDesk;
const noReads = (): Promise<never> => Promise.reject(new Error('nothing is read here'));
beforeEach(() => {
  vi.useFakeTimers();
  dealer = new ScriptedDealer();
  desk = new DealerDesk({ dealer, read: noReads, now: Date.now });
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

function send(signal = new AbortController().signal): { result: Promise<DealerResult>; dispatched: () => boolean } {
  let dispatched = false;
  const hooks: SendHooks = {
    tag: 't',
    deadlineAtMs: Date.now() + 60_000,
    signal,
    onDispatch: () => (dispatched = true),
  };
  const result = desk.execute(async () => ({ Action: '200' }), hooks);
  result.catch(() => undefined);
  return { result, dispatched: () => dispatched };
}
const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

it.each(['top', 'answer'] as const)('takes the final answer, with the ids at the %s', async (place) => {
  dealer.place = place;
  const { result } = send();
  await settle();
  dealer.decide(0, '10009 Done', { ResultOrder: '7' });
  await settle(1000);
  expect(await result).toMatchObject({ retcode: 10_009, answer: { ResultOrder: '7' } });
  const polls = dealer.polls.length;
  await settle(10_000);
  expect(dealer.polls).toHaveLength(polls);
});

it('asks for all results together, quickly at first, then every half second', async () => {
  const sends = [send(), send(), send()];
  await settle(100);
  const early = dealer.polls.length;
  expect(early).toBeGreaterThanOrEqual(3);
  await settle(10_000);
  const before = dealer.polls.length;
  await settle(10_000);
  expect(dealer.polls.length - before).toBe(20);
  expect(dealer.polls.at(-1)).toHaveLength(3);
  for (const n of sends.keys()) dealer.decide(n, '10009 Done');
  await settle(500);
  await Promise.all(sends.map(({ result }) => result));
});

it('sends at most 128 at a time: the rest waits its turn, and may leave unsent', async () => {
  const leaver = new AbortController();
  const sends = Array.from({ length: 130 }, (_, n) => send(n === 128 ? leaver.signal : undefined));
  await settle();
  expect(dealer.sent).toHaveLength(128);
  leaver.abort();
  await expect(sends[128]?.result).rejects.toMatchObject({ kind: 'deadline', dispatched: false });
  expect(sends[128]?.dispatched()).toBe(false);
  dealer.decide(0, '10006 Reject');
  await settle(1000);
  expect(dealer.sent).toHaveLength(129);
  for (let n = 1; n < 129; n++) dealer.decide(n, '10009 Done');
  await settle(1000);
  expect(desk.outstanding).toBe(0);
});

it('gives up what the server no longer knows, and what its connection took along, as sent', async () => {
  const forgotten = send();
  await settle();
  dealer.forget(0);
  await settle(1000);
  await expect(forgotten.result).rejects.toMatchObject({ kind: 'lost', dispatched: true });
  const replaced = send();
  await settle();
  dealer.generation++;
  await settle(1000);
  await expect(replaced.result).rejects.toMatchObject({ kind: 'lost', dispatched: true });
});

it('waits three minutes for a decision, not longer', async () => {
  const { result } = send();
  await settle(179_000);
  expect(desk.outstanding).toBe(1);
  await settle(2000);
  await expect(result).rejects.toMatchObject({ kind: 'lost', dispatched: true });
});

it('a refused send frees its place', async () => {
  dealer.onSend = async () => replyOf({ retcode: '10024 Too many requests' });
  const { result } = send();
  await settle();
  await expect(result).rejects.toThrow('10024');
  expect(desk.outstanding).toBe(0);
});

/** Sends in a lane of its own; what is prepared and sent is written down. */
function traced(log: string[], name: string, lane: string, prepared?: Promise<void>): Promise<DealerResult> {
  const hooks: SendHooks = {
    tag: 't',
    lane,
    deadlineAtMs: Date.now() + 60_000,
    signal: new AbortController().signal,
    onDispatch: () => void log.push(`sent ${name}`),
  };
  const prepare = async (): Promise<Record<string, string>> => {
    log.push(`prepared ${name}`);
    await prepared;
    return { Action: '200' };
  };
  const result = desk.execute(prepare, hooks);
  result.catch(() => undefined);
  return result;
}

it('prepares the next one while the one before is on its way, never two before it, and keys take turns', async () => {
  const log: string[] = [];
  const answers = [1, 2, 3, 4].map(() => Promise.withResolvers<undefined>());
  let sends = 0;
  dealer.onSend = async (options) => {
    options.onDispatch?.();
    await answers[sends++]?.promise;
    return undefined;
  };
  const results = [traced(log, 'a1', 'a'), traced(log, 'a2', 'a'), traced(log, 'a3', 'a'), traced(log, 'b1', 'b')];
  await settle();
  expect(log.filter((line) => line.startsWith('prepared'))).toEqual(
    ['a1', 'b1', 'a2', 'a3'].map((n) => `prepared ${n}`),
  );
  for (const { resolve } of answers) resolve(undefined);
  await settle();
  for (const n of results.keys()) dealer.decide(n, '10009 Done');
  await settle(1000);
  await Promise.all(results);
});

it('one that takes long to prepare holds up no result, and is not overtaken by half', async () => {
  const log: string[] = [];
  const first = traced(log, 'first', 'a');
  await settle();
  const slow = Promise.withResolvers<undefined>();
  const second = traced(log, 'second', 'a', slow.promise);
  dealer.decide(0, '10009 Done');
  await settle(1000);
  expect((await first).retcode).toBe(10_009);
  expect(log).toEqual(['prepared first', 'sent first', 'prepared second']);
  slow.resolve(undefined);
  await settle();
  dealer.decide(1, '10009 Done');
  await settle(1000);
  expect((await second).retcode).toBe(10_009);
});

it('while requests wait to be sent, one question asks for the results of several', async () => {
  // A connection carries one at a time.
  let line: Promise<unknown> = Promise.resolve();
  dealer.onSend = async (options) => {
    const before = line;
    const answered = Promise.withResolvers<undefined>();
    line = answered.promise;
    await before;
    options.onDispatch?.();
    setTimeout(() => answered.resolve(undefined), 20);
    return answered.promise;
  };
  const sends = Array.from({ length: 20 }, () => send());
  await settle(420);
  expect(dealer.sent).toHaveLength(20);
  expect(dealer.polls.length).toBeLessThan(8);
  for (const n of sends.keys()) dealer.decide(n, '10009 Done');
  await settle(1000);
  await Promise.all(sends.map(({ result }) => result));
});
