import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Breather, inParts } from '../../../../container/service/broker/breathe.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** How long a list rests before its next question. */
async function restMs(isWriting: () => boolean, busy: () => number): Promise<number> {
  const beganAtMs = Date.now();
  const rested = new Breather(isWriting, () => busy).rest().then(() => Date.now() - beganAtMs);
  await vi.advanceTimersByTimeAsync(1_000);
  return rested;
}

test('a list waits while somebody writes and the event loop has no room, and goes on in any case', async () => {
  expect(
    await restMs(
      () => false,
      () => 1,
    ),
  ).toBe(0);
  expect(
    await restMs(
      () => true,
      () => 1,
    ),
  ).toBe(100);
  expect(
    await restMs(
      () => true,
      () => 0.1,
    ),
  ).toBe(5);
});

test('it goes on as soon as there is room or nobody writes any more', async () => {
  let left = 3;
  expect(
    await restMs(
      () => true,
      () => (left-- > 0 ? 1 : 0.2),
    ),
  ).toBe(20);
  left = 3;
  expect(
    await restMs(
      () => left-- > 0,
      () => 1,
    ),
  ).toBe(15);
});

test('parts are as long as their reader is quick, and hold every row once', async () => {
  const rows = Array.from({ length: 3_000 }, (_, row) => row);
  const read = async (costMs: number): Promise<readonly number[][]> => {
    const parts: number[][] = [];
    for await (const part of inParts(rows)) {
      parts.push([...part]);
      vi.advanceTimersByTime(part.length * costMs);
    }
    return parts;
  };
  vi.useRealTimers();
  vi.useFakeTimers({ toFake: ['performance'] });
  const slow = await read(0.5);
  const quick = await read(0);
  for (const parts of [slow, quick]) expect(parts.flat()).toEqual(rows);
  expect(Math.max(...slow.slice(5).map((part) => part.length))).toBeLessThanOrEqual(4);
  expect(quick.length).toBeLessThan(20);
});

/** How long a reader takes for so many rows that cost it a tenth of a millisecond each. */
async function readMs(isWriting: () => boolean, rows: number): Promise<number> {
  vi.useRealTimers();
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'Date'] });
  const breather = new Breather(isWriting);
  const beganAtMs = performance.now();
  const list = { isRead: false };
  const reading = (async (): Promise<number> => {
    let seen = 0;
    for await (const part of breather.inParts(Array.from({ length: rows }, (_, row) => row))) {
      seen += part.length;
      vi.advanceTimersByTime(part.length / 10);
    }
    expect(seen).toBe(rows);
    list.isRead = true;
    return performance.now() - beganAtMs;
  })();
  while (!list.isRead) {
    await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(1);
  }
  return reading;
}

test('while somebody writes, a long list has a fifth of the event loop; a short one does not notice', async () => {
  // A turn of this test's loop passes a millisecond by itself: between parts of a millisecond, half of the time.
  const alone = await readMs(() => false, 5_000);
  const beside = await readMs(() => true, 5_000);
  expect(beside).toBeGreaterThan(2_000);
  expect(beside).toBeLessThan(3_500);
  expect(alone).toBeLessThan(1_300);
  expect(await readMs(() => true, 100)).toBeLessThan(40);
});
