import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { SessionPool } from '../../../container/session/pool.ts';
import { fakePool, within } from '../../support/fake-pool.ts';
import { FakeTransport } from '../../support/fake-transport.ts';

/** How long the fake broker takes for an answer of megabytes. */
const LONG_MS = 1_000;
const BULK = 'user/get_batch';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

class Broker extends FakeTransport {
  atOnce = 0;
  most = 0;

  constructor() {
    super(async (path) => {
      if (path !== BULK) return '{"retcode":"0 Done"}';
      this.most = Math.max(this.most, ++this.atOnce);
      await new Promise((resolve) => setTimeout(resolve, LONG_MS));
      this.atOnce--;
      return '{"retcode":"0 Done"}';
    });
  }
}

const lists = (pool: SessionPool, count: number): Promise<unknown>[] =>
  Array.from({ length: count }, () => pool.read({ path: BULK }, { ...within(600_000), bulk: true }));

const tookMs = async (answer: Promise<unknown>): Promise<number> => {
  const startedAtMs = Date.now();
  await answer;
  return Date.now() - startedAtMs;
};

test('lists of thousands take all sessions but one, and a short question does not wait for them', async () => {
  const broker = new Broker();
  const pool = fakePool(broker, { max: 4 });
  await pool.warm();
  const all = lists(pool, 60);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(pool.stats.connections).toBe(4);
  expect(broker.most).toBe(3);
  const short = tookMs(pool.read({ path: 'user/get' }, within(10_000)));
  await vi.advanceTimersByTimeAsync(LONG_MS);
  expect(await short).toBeLessThan(50);
  await vi.advanceTimersByTimeAsync(60_000);
  await Promise.all(all);
  await pool.drain(100);
});

test('where somebody trades, neither what deals nor what is read beside it waits for lists', async () => {
  const broker = new Broker();
  const pool = fakePool(broker, { max: 4 });
  await pool.warm();
  const [dealer] = pool.dealers;
  for (let deal = 0; deal < 3; deal++) await dealer.mutate({ path: 'dealer/send_request', body: '{}' }, within(1_000));
  const all = lists(pool, 60);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(pool.stats.connections).toBe(4);
  broker.most = broker.atOnce;
  for (let turn = 0; turn < 20; turn++) {
    const deal = tookMs(dealer.mutate({ path: 'dealer/send_request', body: '{}' }, within(10_000)));
    const quote = tookMs(pool.read({ path: 'tick/last' }, { ...within(10_000), urgent: true }));
    await vi.advanceTimersByTimeAsync(LONG_MS + 1);
    expect(await deal).toBeLessThan(50);
    expect(await quote).toBeLessThan(50);
  }
  expect(broker.most).toBe(2);
  await vi.advanceTimersByTimeAsync(60_000);
  await Promise.all(all);
  await pool.drain(100);
});

test('with one session, lists, deals and short questions take turns', async () => {
  const broker = new Broker();
  const pool = fakePool(broker, { max: 1 });
  await pool.warm();
  const all = lists(pool, 10);
  const waiting = [
    tookMs(pool.read({ path: 'user/get' }, within(60_000))),
    tookMs(pool.dealers[0].mutate({ path: 'dealer/send_request', body: '{}' }, within(60_000))),
  ];
  await vi.advanceTimersByTimeAsync(20 * LONG_MS);
  for (const ms of await Promise.all(waiting)) expect(ms).toBeLessThanOrEqual(3 * LONG_MS);
  await Promise.all(all);
  await pool.drain(100);
});
