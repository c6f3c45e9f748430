import { z } from 'zod';
import type { Caller } from './keys.ts';

/**
 * What travels on `/v1/stream` (WebSocket) and `/v1/stream/sse`: the client's operations, the frames that answer them,
 * the close codes, and the limits that the bridge states in its first acknowledgement.
 *
 * A connection has one subscription per topic: `subscribe` adds to it, `unsubscribe` takes from it. In place of `logins`,
 * `groups` names masks of groups as MT5 does (`["real\\*","!real\\test*"]`: what `!` excludes is left out). The groups of
 * a subscription are one selection: others are named after `unsubscribe`. Accounts that come into the groups are told as
 * they come. Those that leave them are told as accounts, positions and orders with the event `left`; what is closed or
 * removed is told as that. A key that is bound to logins sees only those.
 *
 * The topic `equity` watches bounds, and needs one of them, in percent: `marginLevelBelow`, and `drawdownAbove`, lost since
 * the day's start (`{"topic":"equity","groups":["real\\*"],"marginLevelBelow":100,"drawdownAbove":"5"}`). Its snapshot
 * shows the accounts that are beyond one, its deltas those that cross one (`contract/equity.ts`). All logins or groups of
 * the subscription have the same bounds; `unsubscribe` names them too, or names nothing and ends all.
 *
 * - `epoch` counts the bridge's instances. Sequences are of one epoch.
 * - `seq` is the topic's sequence up to which this subscription is now complete.
 * - `prev` is the `seq` of the frame before on this subscription. `prev` ≠ the last `seq` seen = something was lost.
 *   `stale`, `live`, `heartbeat`, `ack` and `error` carry `seq` = `prev`: they use up no number.
 * - `snapshot` replaces what is known of the symbols or logins that were just subscribed; after `gap`, of the whole
 *   subscription. `gap` says since when something may be missing (`sinceMs`, `null` = not known). Of deals and orders it
 *   is sent before the snapshot, each once, in deltas that use up no number (`seq` = `prev`): deals that were made, orders
 *   that were removed (and were placed before, if that was in the gap too). Of the rest the snapshot shows what stands.
 *   Only after a restart of the bridge itself may the last five seconds before come again: a ticket is told by its number.
 *   One of more than 5,000 things goes on in deltas, with `seq` 0 until it is whole.
 * - `resume` is for symbols and logins of which a snapshot was seen; `subscribe` is for the others. Both may say since when
 *   the client has missed something (`sinceMs`: `marketUntilMs` or `booksUntilMs` of the last heartbeat it saw): where the
 *   buffer does not reach back so far, or was another instance's, that decides from when the gap is told and filled.
 * - `heartbeat` says until when the bridge has read the broker's prices (`marketUntilMs`: ticks) and books (`booksUntilMs`:
 *   the other topics), epoch ms: what happened before has been sent. While the broker cannot be read they stand still, and
 *   heartbeats come all the same. `null` = this heartbeat does not tell, since something is owed to the client.
 * - `delta` holds every change of one flush. Ticks, accounts and positions may be conflated for a slow client (the
 *   latest of each wins); orders and deals never.
 */
export interface TopicEntry {
  /** What a subscription names: symbols and masks of symbols, or logins; in place of logins, `groups`. */
  readonly selector: 'symbols' | 'logins';
  /**
   * What a client that fell behind is sent: `latest` of each thing, as it stands · a `snapshot`, declared as a gap ·
   * `every` change, or the end of the connection where they are no longer kept.
   */
  readonly behind: 'latest' | 'snapshot' | 'every';
  /** Its things stand until they change, so that a snapshot shows them; deals happen, and a snapshot of them is empty. */
  readonly stands: boolean;
  /** Polled with the market's prices, and still while it is closed; or with the accounts' books. */
  readonly source: 'market' | 'books';
}

/** Every topic but `system`. The only place that tells one topic from another: a new one is an entry here and a feed. */
export const TOPIC_TABLE = {
  ticks: { selector: 'symbols', behind: 'latest', stands: true, source: 'market' },
  accounts: { selector: 'logins', behind: 'latest', stands: true, source: 'books' },
  positions: { selector: 'logins', behind: 'snapshot', stands: true, source: 'books' },
  orders: { selector: 'logins', behind: 'every', stands: true, source: 'books' },
  deals: { selector: 'logins', behind: 'every', stands: false, source: 'books' },
  equity: { selector: 'logins', behind: 'snapshot', stands: true, source: 'books' },
} as const satisfies Record<string, TopicEntry>;
export type DataTopic = keyof typeof TOPIC_TABLE;
export const DATA_TOPICS = Object.keys(TOPIC_TABLE) as [DataTopic, ...DataTopic[]];
/** The entry of a topic, as wide as any. */
export const topicEntry = (topic: DataTopic): TopicEntry => TOPIC_TABLE[topic];
export const topicsFrom = (source: TopicEntry['source']): readonly DataTopic[] =>
  DATA_TOPICS.filter((topic) => topicEntry(topic).source === source);
/** One value for each topic. */
export const perTopic = <Value>(make: (topic: DataTopic) => Value): Record<DataTopic, Value> =>
  Object.fromEntries(DATA_TOPICS.map((topic) => [topic, make(topic)])) as Record<DataTopic, Value>;

/** `system` speaks of the session and the market; every connection receives it without asking. */
export const SYSTEM_TOPIC = 'system';
export type Topic = DataTopic | typeof SYSTEM_TOPIC;
export const TOPICS: readonly [Topic, ...Topic[]] = [...DATA_TOPICS, SYSTEM_TOPIC];

const FRAME_TYPES = ['ack', 'snapshot', 'delta', 'heartbeat', 'stale', 'live', 'gap', 'system', 'error'] as const;
export type FrameType = (typeof FRAME_TYPES)[number];

/** Echoed in the acknowledgement or error of the operation. */
export type OperationId = number | string;

export interface Frame {
  readonly type: FrameType;
  readonly topic: Topic;
  readonly epoch: number;
  readonly seq: number;
  readonly prev: number;
  /** RFC 3339 UTC, when the frame was made. */
  readonly time: string;
  /**
   * `snapshot`, `delta`: a list of ticks, accounts, positions, orders, deals or `EquityRow`; changed positions and orders carry
   * `event`, accounts that left the group `"event":"left"`. `stale`, `live`: `{symbols}`. `system`: `{event, …}`. `error`: `{code, detail, …}`. `gap`: `{reason, sinceMs}`.
   * `heartbeat`: `{marketUntilMs, booksUntilMs}`.
   */
  readonly data?: unknown;
  readonly id?: OperationId;
}

/** Events of the topic `system`. */
export const SYSTEM_EVENTS = [
  /** Another instance signed in: a new epoch. Every subscription gets `gap` and `snapshot`. */
  'session_replaced',
  /** The session or the container is gone; the bridge is working on it. */
  'session_lost',
  /** The session is back, of the same epoch. */
  'session_restored',
  'maintenance',
  /** Too many calls in a row failed: `of` the broker or the road to the container; nobody is let through for now. */
  'circuit_open',
  /** Calls go through again. */
  'circuit_closed',
  'market_closed',
  'market_open',
] as const;
export type SystemEvent = (typeof SYSTEM_EVENTS)[number];

/** Close codes of `/v1/stream`. 1000 and 1001 may come from the platform at any time: reconnect and resume. */
export const CLOSE = {
  normal: { code: 1000, means: 'closed by the client, or by the platform without a word' },
  unsupported: { code: 1003, means: 'a binary message; the stream speaks JSON text' },
  invalidText: { code: 1007, means: 'a message that is not UTF-8' },
  policy: { code: 1008, means: 'too many messages, pings or bad operations' },
  tooBig: { code: 1009, means: 'a message over the size limit' },
  internal: { code: 1011, means: 'the bridge failed' },
  restart: { code: 1012, means: 'the bridge restarts: reconnect and resume' },
  unauthenticated: { code: 4001, means: 'no valid key or token, or it was revoked or expired' },
  slowConsumer: {
    code: 4008,
    means:
      'the client reads too slowly: over the limit in bytes or age, or sent `pingWithinBytes` without a sign of it',
  },
} as const satisfies Record<string, { code: number; means: string }>;
export type CloseName = keyof typeof CLOSE;

export const STREAM_LIMITS = {
  /** A heartbeat at least so often while the bridge is awake. */
  heartbeatMs: 5_000,
  /** No frame for so long = the connection is dead: two heartbeats (OANDA's rule). */
  silenceLimitMs: 10_000,
  /** A symbol without a tick for so long, inside its quote hours, is `stale`. */
  staleAfterMs: 15_000,
  /** Consumer sessions are looked at so often: a revoked one's streams close within 5 s. */
  recheckMs: 3_000,
  /** Time to present a key. */
  authenticateWithinMs: 10_000,
  maxMessageBytes: 64 * 1024,
  /** Client messages: sustained per second, and burst. */
  messagesPerSecond: 50,
  messageBurst: 200,
  /** Operations in a row that were errors, before 1008. */
  maxBadOperations: 50,
  /** Symbols, masks and logins of one connection over all topics. */
  maxSelectors: 12_000,
  /** Unsent bytes of one connection above which it gets no more until it has caught up. */
  softBufferBytes: 128 * 1024,
  /**
   * Bytes that a client may be sent without a sign that it keeps up. A sign is `{"op":"ping"}` at the hub, which sees no
   * more of a client; on a VPS it is the pong to the bridge's own pings, which every WebSocket library sends by itself.
   */
  pingWithinBytes: 256 * 1024,
  /** Sent so far ahead of the last sign, a client gets no more until the next: five seconds of a busy feed. */
  aheadBytes: 1024 * 1024,
  /** So long above `softBufferBytes` or `aheadBytes`, or above `pingWithinBytes` without any sign = 4008. */
  maxLagMs: 15_000,
  /** What nobody subscribes to any more is still followed for so long, so that a client can come back without a gap. */
  lingerMs: 30_000,
} as const;
export type StreamLimits = { readonly [name in keyof typeof STREAM_LIMITS]: number };

const id = z.union([z.number().finite(), z.string().max(64)]).optional();

/** A symbol's name, or a mask over symbol paths: `Forex\*`, `!Forex\Exotic\*`. No comma: it separates upstream. */
const symbolSelector = z
  .string()
  // oxlint-disable-next-line no-control-regex -- control characters are what it refuses
  .regex(/^[^,\u0000-\u001f\u007f]{1,128}$/u, 'expected a symbol or mask of 1–128 characters without commas');
const symbols = z
  .array(symbolSelector)
  .min(1, 'expected at least one symbol or mask')
  .max(10_000, 'expected at most 10000 symbols');
const logins = z
  .array(z.int('expected a login').min(1, 'expected a login').max(Number.MAX_SAFE_INTEGER, 'expected a login'))
  .min(1, 'expected at least one login')
  .max(10_000, 'expected at most 10000 logins');

/** Percent: a number, or a decimal as text. */
const percent = z
  .union([z.number(), z.string()])
  .transform(String)
  .pipe(z.string().regex(/^\d{1,7}(?:\.\d{1,4})?$/, 'expected a percentage like 100 or "2.5"'));

/** A mask of groups: `real\*`, `!real\test*`. A comma would separate two. */
const groups = z
  .array(
    z
      .string()
      // oxlint-disable-next-line no-control-regex -- control characters are what it refuses
      .regex(/^[^,\u0000-\u001f\u007f]{1,128}$/u, 'expected a group mask of 1–128 characters without commas'),
  )
  .max(16, 'expected at most 16 group masks')
  .refine((masks) => masks.some((mask) => !mask.startsWith('!')), 'expected at least one group mask without "!"');

const selection = {
  id,
  topic: z.enum(TOPICS, `expected one of ${TOPICS.join(', ')}`),
  symbols: symbols.optional(),
  logins: logins.optional(),
  groups: groups.optional(),
  /** Of the topic `equity`. */
  marginLevelBelow: percent.optional(),
  drawdownAbove: percent.optional(),
};
const sinceMs = z.int('expected epoch milliseconds').min(0).optional();

export const clientOperationSchema = z.discriminatedUnion(
  'op',
  [
    z.strictObject({ op: z.literal('auth'), id, key: z.string().min(1).max(512) }),
    z.strictObject({ op: z.literal('subscribe'), ...selection, sinceMs }),
    z.strictObject({ op: z.literal('unsubscribe'), ...selection }),
    z.strictObject({
      op: z.literal('resume'),
      ...selection,
      epoch: z.int('expected the epoch of the last frame').min(0),
      seq: z.int('expected the seq of the last frame').min(0),
      sinceMs,
    }),
    z.strictObject({ op: z.literal('ping'), id }),
  ],
  'expected op to be one of auth, subscribe, unsubscribe, resume, ping',
);
export type ClientOperation = z.output<typeof clientOperationSchema>;
export type Selection = Extract<ClientOperation, { op: 'subscribe' | 'unsubscribe' | 'resume' }>;

/** Exactly this text is answered by the hub without waking it. */
export const PING_TEXT = '{"op":"ping"}';

/**
 * Subprotocol that the server selects; a browser offers its key as a second one, which is never echoed. The key alone is
 * not enough: a client that offered something and gets nothing selected gives up ("Server sent no subprotocol").
 */
export const STREAM_SUBPROTOCOL = 'mt5-edge-bridge';
const KEY_SUBPROTOCOL_PREFIX = 'bearer.';

/** `Sec-WebSocket-Protocol: mt5-edge-bridge, bearer.<key>` → the key. */
export function keyFromSubprotocol(header: string | null | undefined): string | undefined {
  for (const part of (header ?? '').split(',')) {
    const name = part.trim();
    if (name.startsWith(KEY_SUBPROTOCOL_PREFIX)) return name.slice(KEY_SUBPROTOCOL_PREFIX.length) || undefined;
  }
  return undefined;
}

export const offersStreamSubprotocol = (header: string | null | undefined): boolean =>
  (header ?? '').split(',').some((part) => part.trim() === STREAM_SUBPROTOCOL);

/** What a presented key or token is worth. `proof` (a hash, never the key) lets it be checked again later. */
export interface Authenticated {
  readonly caller: Caller;
  readonly proof: string;
}
