import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openStream, type WebSocketLike } from '../../../container/client/streams.ts';

/** A bridge that restarts loses all its clients at one moment: they must not all come back at one moment. */

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('of a hundred clients that are lost together at most 20 come back in any 100 ms', () => {
  const startedAtMs = Date.now();
  const cameAtMs: number[] = [];
  const losing: (() => void)[] = [];
  class Socket implements WebSocketLike {
    constructor() {
      cameAtMs.push(Date.now() - startedAtMs);
    }
    send(): void {}
    close(): void {}
    addEventListener(type: string, listener: (event: { data?: unknown; code?: number }) => void): void {
      if (type === 'close') losing.push(() => listener({ code: 1012 }));
    }
  }
  const clients = Array.from({ length: 100 }, (_, n) =>
    openStream(
      'ticks',
      { symbols: ['EURUSD'] },
      // Evenly, as random numbers are in the mean: what is looked at is how they are used.
      { baseUrl: 'http://bridge', key: 'k', webSocket: Socket, random: () => n / 100 },
    ),
  );
  cameAtMs.length = 0;
  for (const lose of losing.splice(0)) lose();
  vi.advanceTimersByTime(1_000);
  expect(cameAtMs).toHaveLength(100);
  for (const from of cameAtMs)
    expect(cameAtMs.filter((at) => at >= from && at < from + 100).length).toBeLessThanOrEqual(20);
  for (const client of clients) void client.return?.(undefined);
});
