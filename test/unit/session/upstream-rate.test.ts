import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SessionPool } from '../../../container/session/pool.ts';
import { SESSION_TIMINGS } from '../../../container/session/session.ts';
import { FAKE_PASSWORD_HASH, FakeTransport } from '../../support/fake-transport.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function poolOver(transport: FakeTransport, perSecond: number): SessionPool {
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
    max: 2,
    perSecond,
    onEvent: () => undefined,
    onStatus: () => undefined,
  });
}
const within = (ms: number): { deadlineAtMs: number } => ({ deadlineAtMs: Date.now() + ms });

test('the broker is asked no oftener than it was said, and everybody is answered', async () => {
  const transport = new FakeTransport();
  const pool = poolOver(transport, 20);
  await pool.warm();
  const reads = Array.from({ length: 40 }, () => pool.read({ path: 'user/get' }, within(60_000)));
  await vi.advanceTimersByTimeAsync(1_000);
  const inOneSecond = transport.count('user/get');
  expect(inOneSecond).toBeGreaterThanOrEqual(18);
  expect(inOneSecond).toBeLessThanOrEqual(22);
  await vi.advanceTimersByTimeAsync(1_200);
  expect(await Promise.all(reads)).toHaveLength(40);
  await pool.drain(100);
  expect(vi.getTimerCount()).toBe(0);
});

test('where the rate is spent, dealing comes first', async () => {
  const transport = new FakeTransport();
  const pool = poolOver(transport, 10);
  await pool.warm();
  const reads = Array.from({ length: 100 }, () => pool.read({ path: 'user/get' }, within(60_000)));
  await vi.advanceTimersByTimeAsync(200);
  const deal = pool.dealers[0].mutate({ path: 'dealer/send_request', body: '{}' }, within(60_000));
  await vi.advanceTimersByTimeAsync(250);
  expect((await deal).retcode).toBe(0);
  await vi.advanceTimersByTimeAsync(20_000);
  await Promise.all(reads);
  await pool.drain(100);
});

test('what the rate does not let through in time is refused at once', async () => {
  const pool = poolOver(new FakeTransport(), 10);
  await pool.warm();
  const reads = Array.from({ length: 50 }, () => pool.read({ path: 'user/get' }, within(60_000)));
  await expect(pool.read({ path: 'user/get' }, within(1_000))).rejects.toMatchObject({ kind: 'overloaded' });
  await vi.advanceTimersByTimeAsync(10_000);
  await Promise.all(reads);
  await pool.drain(100);
});
