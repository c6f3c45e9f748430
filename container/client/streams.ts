import type { EquityRow } from '../contract/equity.ts';
import type { DataTopic, Frame, TOPIC_TABLE } from '../contract/frames.ts';
import type { Schemas } from './index.ts';
import { runtimeWebSocket } from './web-socket.ts';

/**
 * Streams of the bridge as async iterables: connected again when the connection is lost, subscribed again, resumed where
 * the bridge still has what was missed. What could not be resumed shows as a `gap` event that says since when, followed by
 * the deals and orders that were missed, each once, and by a `snapshot`.
 * Needs `WebSocket` and nothing else: browsers, Workers, Node 22 and later; the package brings its own for Node 20.
 */
export interface StreamOptions {
  /** Where the bridge is: `https://mt5-edge-bridge.example.workers.dev`. */
  readonly baseUrl: string;
  /** API key, or the token of a consumer session. */
  readonly key: string;
  /** Ends the stream; the iterator returns. */
  readonly signal?: AbortSignal;
  readonly webSocket?: WebSocketConstructor;
  /** For tests. */
  readonly random?: () => number;
  readonly onConnection?: (state: 'open' | 'lost', detail: string) => void;
}

export type WebSocketConstructor = new (url: string) => WebSocketLike;

/** The part of `WebSocket` that is used. */
export interface WebSocketLike {
  send(text: string): void;
  close(code?: number): void;
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: SocketEvent) => void): void;
}

interface SocketEvent {
  /** Of a message. */
  readonly data?: unknown;
  /** Of a close. */
  readonly code?: number;
  readonly reason?: string;
}

interface Rows {
  readonly ticks: Schemas['Quote'];
  /** `left` the group that is followed. */
  readonly accounts: Schemas['Money'] & { readonly event?: 'left' };
  readonly positions: Schemas['Position'] & { readonly event?: 'opened' | 'changed' | 'closed' | 'left' };
  readonly orders: Schemas['Order'] & { readonly event?: 'placed' | 'changed' | 'removed' | 'left' };
  readonly deals: Schemas['Deal'];
  readonly equity: EquityRow;
}

interface At {
  readonly epoch: number;
  readonly seq: number;
  readonly time: string;
}

export type StreamEvent<Topic extends DataTopic> =
  | (At & { readonly type: 'snapshot' | 'delta'; readonly data: readonly Omit<Rows[Topic], 'extra'>[] })
  | (At & { readonly type: 'gap'; readonly data: { readonly reason: string; readonly sinceMs: number | null } })
  | (At & { readonly type: 'stale' | 'live'; readonly data: { readonly symbols: readonly string[] } })
  | (At & { readonly type: 'system'; readonly data: { readonly event: string } });

export type Selection<Topic extends DataTopic> = (typeof TOPIC_TABLE)[Topic]['selector'] extends 'symbols'
  ? { readonly symbols: readonly string[] }
  : Topic extends 'equity'
    ? Accounts & Bounds
    : Accounts;

/** Percent; one of them at least. `drawdownAbove`: lost since the day's start. */
interface Bounds {
  readonly marginLevelBelow?: number | string;
  readonly drawdownAbove?: number | string;
}

/** Logins, or the accounts of group masks: `real\\*`, `!real\\test*`. */
type Accounts =
  | { readonly logins?: readonly number[]; readonly groups?: undefined }
  | { readonly groups: readonly string[]; readonly logins?: undefined };

/** The bridge will not serve this stream, however often it is asked. */
export class BridgeStreamError extends Error {
  readonly code: string;
  readonly field: string | undefined;

  constructor(code: string, message: string, field?: string) {
    super(message);
    this.name = 'BridgeStreamError';
    this.code = code;
    this.field = field;
  }
}

/** Said to a hub so that it knows that this client keeps up; answered without waking it. */
const PING = '{"op":"ping"}';
const PING_MS = 5_000;
/** Until the bridge has stated its own limit. */
const SILENCE_LIMIT_MS = 10_000;
/** The first wait is spread over a second, so that all clients of a bridge do not come back in one moment. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
/** A reader that leaves so many events unread is disconnected, and resumed when it has read them. */
const MAX_UNREAD = 10_000;
/** No valid key: the same again would be refused again. */
const UNAUTHENTICATED_CLOSE = 4001;
/** Longer than the bridge looks back over a gap. */
const DEALS_KEPT_MS = 15 * 60_000;

interface Reader<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (reason: unknown) => void;
}

/** `Promise.withResolvers`, which Node has from version 22 on. */
function newReader<Value>(): Reader<Value> {
  let settle: Omit<Reader<Value>, 'promise'> | undefined;
  const promise = new Promise<Value>((resolve, reject) => (settle = { resolve, reject }));
  return { promise, ...(settle as unknown as Omit<Reader<Value>, 'promise'>) };
}

type State = 'waiting' | 'connecting' | 'open' | 'full' | 'ended';

/** One subscription: `for await (const event of openStream('ticks', { symbols: ['EURUSD'] }, options))`. */
export function openStream<Topic extends DataTopic>(
  topic: Topic,
  selection: Selection<Topic>,
  options: StreamOptions,
): AsyncIterableIterator<StreamEvent<Topic>, undefined> {
  return new BridgeStream<Topic>(topic, selection, options);
}

class BridgeStream<Topic extends DataTopic> implements AsyncIterableIterator<StreamEvent<Topic>, undefined> {
  readonly #topic: Topic;
  readonly #selection: Selection<Topic>;
  readonly #options: StreamOptions;
  readonly #unread: StreamEvent<Topic>[] = [];
  #reader: Reader<IteratorResult<StreamEvent<Topic>, undefined>> | undefined;
  #state: State = 'waiting';
  #failure: BridgeStreamError | undefined;
  #socket: WebSocketLike | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #pingTimer: ReturnType<typeof setInterval> | undefined;
  #heardAtMs = 0;
  #silenceLimitMs = SILENCE_LIMIT_MS;
  #failures = 0;
  /** Where to resume; known after the first snapshot. */
  #cursor: { epoch: number; seq: number } | undefined;
  #isComplete = false;
  /** On this connection. */
  #isSubscribed = false;
  /** Until when everything has come: told by the last heartbeat, or since when a gap that is not filled yet began. */
  #sinceMs: number | undefined;
  /** Deals that came, with the time of their frame: after a gap the bridge may not know which. */
  readonly #dealsSeen = new Map<string, number>();

  constructor(topic: Topic, selection: Selection<Topic>, options: StreamOptions) {
    this.#topic = topic;
    this.#selection = selection;
    this.#options = options;
    options.signal?.addEventListener('abort', this.#abort, { once: true });
    if (options.signal?.aborted) this.#end();
    else this.#connect();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<StreamEvent<Topic>, undefined>> {
    const value = this.#unread.shift();
    if (value) {
      if (this.#state === 'full' && this.#unread.length === 0) this.#connect();
      return Promise.resolve({ value, done: false });
    }
    if (this.#state === 'ended')
      return this.#failure ? Promise.reject(this.#failure) : Promise.resolve({ value: undefined, done: true });
    this.#reader ??= newReader();
    return this.#reader.promise;
  }

  return(): Promise<IteratorResult<StreamEvent<Topic>, undefined>> {
    this.#unread.length = 0;
    this.#end();
    return Promise.resolve({ value: undefined, done: true });
  }

  readonly #abort = (): void => this.#end();

  #connect(): void {
    this.#state = 'connecting';
    const url = new URL(`${this.#options.baseUrl.replace(/\/$/, '')}/v1/stream`);
    url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
    const WebSocketClass = this.#options.webSocket ?? runtimeWebSocket();
    const socket = new WebSocketClass(url.href);
    this.#socket = socket;
    const isCurrent = (): boolean => this.#socket === socket;
    this.#watch();
    socket.addEventListener('open', () => {
      if (!isCurrent()) return;
      this.#state = 'open';
      this.#isComplete = false;
      this.#isSubscribed = false;
      socket.send(JSON.stringify({ op: 'auth', key: this.#options.key }));
      const since = this.#sinceMs === undefined ? {} : { sinceMs: this.#sinceMs };
      const selection = { topic: this.#topic, ...this.#selection, ...since };
      socket.send(
        JSON.stringify(
          this.#cursor ? { op: 'resume', ...this.#cursor, ...selection } : { op: 'subscribe', ...selection },
        ),
      );
      this.#options.onConnection?.('open', url.href);
    });
    socket.addEventListener('message', ({ data }) => {
      if (isCurrent()) this.#receive(JSON.parse(String(data)) as Frame);
    });
    socket.addEventListener('error', () => {
      if (isCurrent()) this.#lost('connection failed');
    });
    socket.addEventListener('close', ({ code = 1006, reason = '' }) => {
      if (!isCurrent()) return;
      if (code === UNAUTHENTICATED_CLOSE)
        this.#fail(
          this.#failure ?? new BridgeStreamError('unauthenticated', `The bridge closed the stream: ${reason}`),
        );
      else this.#lost(`closed ${code} ${reason}`);
    });
  }

  /** Pings, and gives up a connection that is silent for longer than the bridge ever is. */
  #watch(): void {
    clearInterval(this.#pingTimer);
    this.#heardAtMs = Date.now();
    this.#pingTimer = setInterval(() => {
      if (Date.now() - this.#heardAtMs > this.#silenceLimitMs) return this.#lost('silent for too long');
      if (this.#state === 'open') this.#socket?.send(PING);
    }, PING_MS);
  }

  #receive(frame: Frame): void {
    this.#heardAtMs = Date.now();
    const { type, topic } = frame;
    if (type === 'ack') {
      const stated = (frame.data as { silenceLimitMs?: number } | undefined)?.silenceLimitMs;
      if (stated !== undefined) this.#silenceLimitMs = stated;
      if (topic !== this.#topic) return;
      this.#failures = 0;
      this.#isSubscribed = true;
      return;
    }
    if (type === 'heartbeat') return this.#noteUntil(frame);
    if (type === 'snapshot' && topic === this.#topic) this.#sinceMs ??= Date.parse(frame.time);
    if (type === 'error') {
      const { code, detail, retry, field } = frame.data as Record<'code' | 'detail' | 'retry', string> & {
        field?: string;
      };
      if (retry === 'no') this.#fail(new BridgeStreamError(code, detail, field));
      return;
    }
    if (topic === this.#topic && !this.#follows(frame)) return;
    const event = frame as unknown as StreamEvent<Topic>;
    if (this.#topic !== 'deals' || type !== 'delta') return this.#push(event);
    const data = this.#unseenDeals(frame);
    if (data.length > 0) this.#push({ ...event, data } as unknown as StreamEvent<Topic>);
  }

  /**
   * Frames come in order: what happened until then has come. Not the frame's own time: heartbeats come while the broker
   * cannot be read. `null` = something is owed to this client.
   */
  #noteUntil({ data }: Frame): void {
    if (!this.#isSubscribed) return;
    const { marketUntilMs, booksUntilMs } = data as Record<'marketUntilMs' | 'booksUntilMs', number | null>;
    this.#sinceMs = (this.#topic === 'ticks' ? marketUntilMs : booksUntilMs) ?? this.#sinceMs;
  }

  #unseenDeals({ data, time }: Frame): readonly unknown[] {
    const atMs = Date.parse(time);
    for (const [ticket, seenAtMs] of this.#dealsSeen) {
      if (seenAtMs > atMs - DEALS_KEPT_MS) break;
      this.#dealsSeen.delete(ticket);
    }
    return (data as readonly { readonly ticket: string }[]).filter(({ ticket }) => {
      if (this.#dealsSeen.has(ticket)) return false;
      this.#dealsSeen.set(ticket, atMs);
      return true;
    });
  }

  /** Keeps the place. A frame that does not follow the one before means that something was lost on the way. */
  #follows(frame: Frame): boolean {
    const { type, epoch, seq, prev } = frame;
    if (type === 'gap') {
      this.#isComplete = false;
      this.#cursor = undefined;
      this.#sinceMs = (frame.data as { sinceMs: number | null }).sinceMs ?? this.#sinceMs;
      return true;
    }
    if (type === 'snapshot') this.#isComplete = true;
    else if (this.#cursor && (prev !== this.#cursor.seq || epoch !== this.#cursor.epoch)) {
      // Resumed from the last one that came: the bridge has the missing one still, or declares the gap.
      this.#lost('a frame is missing');
      return false;
    }
    if (this.#isComplete || this.#cursor) this.#cursor = { epoch, seq };
    return true;
  }

  #push(event: StreamEvent<Topic>): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader) return reader.resolve({ value: event, done: false });
    if (this.#unread.push(event) >= MAX_UNREAD && this.#state === 'open') {
      this.#drop();
      this.#state = 'full';
    }
  }

  #lost(detail: string): void {
    if (this.#state === 'ended' || this.#state === 'full') return;
    this.#drop();
    this.#state = 'waiting';
    this.#options.onConnection?.('lost', detail);
    const longestMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures++, 10));
    const random = this.#options.random ?? Math.random;
    this.#retryTimer = setTimeout(() => this.#connect(), random() * longestMs);
  }

  #drop(): void {
    clearInterval(this.#pingTimer);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close(1000);
  }

  #fail(error: BridgeStreamError): void {
    this.#failure = error;
    this.#end();
  }

  #end(): void {
    if (this.#state === 'ended') return;
    this.#drop();
    this.#state = 'ended';
    clearTimeout(this.#retryTimer);
    this.#options.signal?.removeEventListener('abort', this.#abort);
    const reader = this.#reader;
    this.#reader = undefined;
    if (this.#failure) reader?.reject(this.#failure);
    else reader?.resolve({ value: undefined, done: true });
  }
}
