import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openStream, type WebSocketLike } from '../../../container/client/streams.ts';

/**
 * Found by `npm run soak -- --road vps --seed 1`: a bridge that could not read the broker went on beating, then ended; the
 * client took the last beat for the time until which it had been told everything, and missed the deals before it.
 */

type Listener = (event: { data?: unknown; code?: number }) => void;

class FakeSocket implements WebSocketLike {
  static readonly all: FakeSocket[] = [];
  readonly sent: Record<string, unknown>[] = [];
  readonly #listeners = new Map<string, Listener>();
  constructor() {
    FakeSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }
  close(): void {}
  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, listener);
  }
  emit(type: string, event: Parameters<Listener>[0] = {}): void {
    this.#listeners.get(type)?.(event);
  }
  frame(type: string, data: unknown, time: string, topic = 'deals'): void {
    this.emit('message', { data: JSON.stringify({ type, topic, epoch: 3, seq: 1, prev: 1, time, data }) });
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all.length = 0;
});
afterEach(() => vi.useRealTimers());

const at = (ms: number): string => new Date(ms).toISOString();

it('resumes from when the broker was last read, not from the last beat', () => {
  const stream = openStream(
    'deals',
    { logins: [1001] },
    {
      baseUrl: 'http://bridge',
      key: 'k',
      webSocket: FakeSocket,
      random: () => 0,
    },
  );
  const lose = (socket: FakeSocket | undefined): Record<string, unknown> | undefined => {
    socket?.emit('close', { code: 1006 });
    vi.advanceTimersByTime(1);
    const next = FakeSocket.all.at(-1);
    next?.emit('open');
    return next?.sent.find(({ op }) => op === 'resume');
  };
  const [first] = FakeSocket.all;
  first?.emit('open');
  first?.frame('ack', {}, at(1_000));
  first?.frame('snapshot', [], at(1_000));
  first?.frame('heartbeat', { marketUntilMs: 9_000, booksUntilMs: 4_000 }, at(5_000), 'system');
  first?.frame('heartbeat', { marketUntilMs: 9_000, booksUntilMs: 4_000 }, at(65_000), 'system');
  first?.frame('heartbeat', { marketUntilMs: null, booksUntilMs: null }, at(70_000), 'system');
  expect(lose(first)).toMatchObject({ epoch: 3, seq: 1, sinceMs: 4_000 });
  // What a bridge says before it has answered the resumption is not about this client.
  const second = FakeSocket.all.at(-1);
  second?.frame('heartbeat', { marketUntilMs: 90_000, booksUntilMs: 90_000 }, at(90_000), 'system');
  expect(lose(second)).toMatchObject({ sinceMs: 4_000 });
  void stream.return?.();
});
