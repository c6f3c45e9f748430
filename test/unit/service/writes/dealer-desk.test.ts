import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DealerDesk, type DealerResult } from '../../../../container/service/writes/dealer-desk.ts';
import type { SendHooks } from '../../../../container/service/writes/operation-runner.ts';
import { replyOf, ScriptedDealer } from '../../../support/scripted-dealer.ts';

let dealer: ScriptedDealer;
let desk: DealerDesk;
beforeEach(() => {
  vi.useFakeTimers();
  dealer = new ScriptedDealer();
  desk = new DealerDesk(dealer, Date.now);
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
