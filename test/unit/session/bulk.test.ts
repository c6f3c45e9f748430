import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SessionPool } from '../../../container/session/pool.ts';
import { SESSION_TIMINGS } from '../../../container/session/session.ts';
import { FAKE_PASSWORD_HASH, FakeTransport } from '../../support/fake-transport.ts';

/** How long the fake broker takes for an answer of megabytes. */
const LONG_MS = 1_000;
const BULK = 'user/get_batch';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const within = (ms: number): { deadlineAtMs: number } => ({ deadlineAtMs: Date.now() + ms });

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

function poolOver(transport: FakeTransport, max: number): SessionPool {
  return new SessionPool({
    transport,
    gate: {
      permit: () => Promise.resolve({ granted: true, permitId: 'p' }),
      succeeded: () => Promise.resolve({ epoch: 1 }),
      failed: () => Promise.resolve({ retryAtMs: Date.now() + 5_000 }),
    },
    addresses: [{ host: 'fake', port: 443 }],
    credentials: { login: '1000', passwordHash: FAKE_PASSWORD_HASH, agent: 'test' },
    timings: SESSION_TIMINGS,
    now: () => Date.now(),
    random: () => 0,
    max,
    onEvent: () => undefined,
    onStatus: () => undefined,
  });
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
  const pool = poolOver(broker, 4);
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
  const pool = poolOver(broker, 4);
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
  const pool = poolOver(broker, 1);
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
