import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakePool, within } from '../../support/fake-pool.ts';
import { FakeTransport } from '../../support/fake-transport.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('the broker is asked no oftener than it was said, and everybody is answered', async () => {
  const transport = new FakeTransport();
  const pool = fakePool(transport, { max: 2, perSecond: 20 });
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
  const pool = fakePool(transport, { max: 2, perSecond: 10 });
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
  const pool = fakePool(new FakeTransport(), { max: 2, perSecond: 10 });
  await pool.warm();
  const reads = Array.from({ length: 50 }, () => pool.read({ path: 'user/get' }, within(60_000)));
  await expect(pool.read({ path: 'user/get' }, within(1_000))).rejects.toMatchObject({ kind: 'overloaded' });
  await vi.advanceTimersByTimeAsync(10_000);
  await Promise.all(reads);
  await pool.drain(100);
});
