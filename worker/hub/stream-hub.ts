import { DurableObject } from 'cloudflare:workers';
import { asBridgeError, BridgeError } from '../../container/contract/errors.ts';
import {
  CLOSE,
  offersStreamSubprotocol,
  keyFromSubprotocol,
  PING_TEXT,
  STREAM_LIMITS,
  STREAM_SUBPROTOCOL,
  topicsFrom,
  type Authenticated,
  type DataTopic,
  type StreamLimits,
  type SystemEvent,
} from '../../container/contract/frames.ts';
import { HEADER } from '../../container/contract/headers.ts';
import { hashKey, SESSION_TOKEN_PREFIX, type Caller } from '../../container/contract/keys.ts';
import { callerOfSession } from '../../container/state/consumer-session-view.ts';
import { type Connection, subscriptionsOf } from '../../container/stream/connection.ts';
import { Receipts } from '../../container/stream/receipts.ts';
import { SSE_HEADERS, sseOperations } from '../../container/stream/sse.ts';
import { StreamCore } from '../../container/stream/stream-core.ts';
import { StreamUpstream } from '../../container/stream/stream-upstream.ts';
import type { BridgeContainer } from '../holder/bridge-container.ts';
import { DoorKeys } from '../door-keys.ts';
import { type Broker, doorConfig } from '../config.ts';
import { logEvent } from '../log.ts';
import { ownBroker, ownName } from '../own-place.ts';
import { bridgeOf, keeperOf, outboxOf } from '../stubs.ts';
import { problemResponse } from '../problem.ts';
import { containerLink } from './container-link.ts';
import { gapsTold } from './gaps-told.ts';
import { HubCounts } from './hub-counts.ts';
import { sessionOf } from './session-of.ts';
import { EventStreamPeer, SocketPeer } from './stream-peers.ts';
import { HubFigures } from './hub-figures.ts';

const TICK_MS = 1_000;
/** Far below the 32,768 hibernatable sockets of one Durable Object; its memory is 128 MB. */
const MAX_CONNECTIONS = 10_000;
/** Sockets that have not shown a key, which they have ten seconds for: they keep nobody out who has one. */
const MAX_STRANGERS = 1_000;
/** Looked at again so often while it is not known when the market opens, or opening is far. */
const LOOK_AGAIN_MS = 60 * 60_000;
/** How exactly it is known after the loss of the memory since when books were not followed; a row written each time. */
const NOTE_ALIVE_MS = 10_000;

/** Survives hibernation with the socket. */
interface Attachment {
  readonly id: string;
  readonly authenticated: Authenticated | null;
  readonly address: string | null;
}

/** What a test shortens. */
export interface HubTimings {
  readonly limits: Partial<StreamLimits>;
  /** After the market closed, so long for late subscribers' snapshots before the container may sleep. */
  readonly closedGraceMs: number;
}

/** A row of the table `subscriptions`. */
interface SubscriptionRow extends Record<string, SqlStorageValue> {
  readonly topic: DataTopic;
  /** JSON list. */
  readonly selectors: string;
  readonly seq: number;
}

/**
 * Holds clients' streams apart from the container: they stay connected while it sleeps, crashes or is replaced. Between
 * the Worker's clients and one upstream stream runs the same protocol code as in the container. While nobody listens, or
 * the market is closed, the upstream is closed too and this object may hibernate with its sockets.
 */
export class StreamHub extends DurableObject<Env> {
  readonly #core: StreamCore;
  readonly #upstream: StreamUpstream;
  readonly #connections = new Map<WebSocket, Connection>();
  readonly #sockets = new Map<Connection, WebSocket>();
  readonly #keys = new DoorKeys();
  readonly #figures = new HubFigures();
  readonly #name = ownName(this.ctx);
  #timer: ReturnType<typeof setInterval> | null = null;
  #upstreamSinceMs = 0;
  #notedAliveMs = 0;
  readonly #counted = new HubCounts(
    (counts) =>
      void this.#bridge()
        .count(counts)
        .catch(() => undefined),
  );

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { sql } = ctx.storage;
    sql.exec(
      'CREATE TABLE IF NOT EXISTS subscriptions (socket TEXT, topic TEXT, selectors TEXT, seq INTEGER, PRIMARY KEY (socket, topic)) WITHOUT ROWID',
    );
    this.#upstream = new StreamUpstream({
      ...containerLink(() => this.#bridge()),
      emit: (event) => {
        this.#counted.add({ messages: 1 });
        this.#core.apply(event);
        if (event.kind === 'reset') this.#noteEpoch();
        if (event.kind === 'alive' && event.source === 'books') this.#noteAlive(event.untilMs);
      },
      onLost: () => this.#core.markAllStale(),
      onFault: (error) => logEvent('fault', { kind: 'stream', error }, 'error'),
      random: Math.random,
    });
    this.#core = new StreamCore({
      source: this.#upstream,
      authenticate: (key, address) => this.#authenticate(key, address),
      stillValid: async (proofs) => new Set(await this.#bridge().validSessions(proofs)),
      lookAtSession: async () => (this.#upstream.isOpen ? undefined : sessionOf(await this.#bridge().status())),
      now: Date.now,
      defer: (flush) => queueMicrotask(flush),
      onGaps: gapsTold(ctx, () => outboxOf(env, this.#broker())),
      onError: (error) => logEvent('fault', { kind: 'stream', error }, 'error'),
      onSubscriptions: (connection) => {
        this.#remember(connection);
        // A client that has a valid key and asks for data may wake the container.
        if (connection.members.size > 0 && connection.state === 'open') this.#wake();
      },
      epoch: ctx.storage.kv.get<number>('epoch') ?? 0,
      limits: this.timings().limits,
    });
    if ((ctx.storage.kv.get<number>('pausedUntilMs') ?? 0) > Date.now()) this.#upstream.pause();
    this.#answerPings();
    this.#restore();
    this.#drive();
  }

  override async fetch(request: Request): Promise<Response> {
    const { headers } = request;
    this.#counted.add({ objectRequests: 1 });
    try {
      const isStranger = !headers.has(HEADER.caller);
      if (isStranger && this.#core.strangers >= MAX_STRANGERS)
        throw new BridgeError('overloaded', {
          detail: `${MAX_STRANGERS} streams wait for their keys already; send the key with the upgrade.`,
          retryAfterMs: 5_000,
        });
      if (this.#core.connections.size - this.#core.strangers >= MAX_CONNECTIONS)
        throw new BridgeError('overloaded', {
          detail: `The limit of ${MAX_CONNECTIONS} streams is reached.`,
          retryAfterMs: 5_000,
        });
      const authenticated = callerOf(headers);
      if (headers.get('upgrade')?.toLowerCase() === 'websocket') return this.#accept(headers, authenticated);
      return this.#eventStream(new URL(request.url).searchParams, headers, authenticated);
    } catch (error) {
      return problemResponse(asBridgeError(error), headers.get(HEADER.requestId) ?? '');
    }
  }

  /** Keys and traders' sessions that ended. */
  ended(ended: readonly string[]): void {
    this.#core.end(ended);
  }

  /** The container hangs: its end of the link may stay open for long. */
  containerLost(detail: string): void {
    this.#upstream.lose(detail);
  }

  /** Something that every client is told. */
  announce(event: SystemEvent, data: Readonly<Record<string, string | number | null>>): void {
    this.#core.apply({ kind: 'system', event, data });
  }

  /** Outside trading hours the container goes to sleep: clients stay, are told `stale`, and are served again afterwards. */
  pauseFor(pauseMs: number | null): void {
    if (this.#core.isIdle || this.#upstream.isPaused) return;
    this.#sleep(Date.now() + (pauseMs ?? LOOK_AGAIN_MS));
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#counted.add({ messages: 1 });
    const connection = this.#connections.get(socket);
    if (!connection) return socket.close(CLOSE.internal.code, 'internal');
    if (typeof message !== 'string') return connection.close('unsupported');
    // Characters: what is over the limit in bytes alone is caught by its operations' own limits.
    if (message.length > STREAM_LIMITS.maxMessageBytes) return connection.close('tooBig');
    connection.receive(message);
    this.#drive();
  }

  /** The client's close frame is answered with its own code: without an answer it waits for one. */
  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    this.#forget(socket);
    // 1005 and 1006 are no codes that may be sent: there was none (RFC 6455 §7.4.1).
    if (code === 1005 || code === 1006) socket.close();
    else socket.close(code, reason);
  }

  override webSocketError(socket: WebSocket): void {
    this.#forget(socket);
  }

  /** The market may be open again. */
  override alarm(): void {
    this.#wake();
  }

  protected timings(): HubTimings {
    return { limits: {}, closedGraceMs: 30_000 };
  }

  #accept(headers: Headers, authenticated: Authenticated | undefined): Response {
    const { 0: client, 1: server } = new WebSocketPair();
    const attachment: Attachment = {
      id: crypto.randomUUID(),
      authenticated: authenticated ?? null,
      address: headers.get(HEADER.clientAddress),
    };
    this.ctx.acceptWebSocket(server);
    server.serializeAttachment(attachment);
    const connection = this.#connect(server, authenticated, attachment.address);
    const offered = headers.get('sec-websocket-protocol');
    const key = authenticated ? undefined : keyFromSubprotocol(offered);
    if (key !== undefined) connection.receive(JSON.stringify({ op: 'auth', key }));
    this.#drive();
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: offersStreamSubprotocol(offered) ? { 'sec-websocket-protocol': STREAM_SUBPROTOCOL } : {},
    });
  }

  #eventStream(query: URLSearchParams, headers: Headers, authenticated: Authenticated | undefined): Response {
    if (!authenticated) throw new BridgeError('unauthenticated', 'Send a valid key as "Authorization: Bearer …".');
    const operations = sseOperations(query, headers.get('last-event-id'));
    const peer = new EventStreamPeer(() => connection.closed());
    const connection = this.#core.connect(peer, authenticated);
    this.#drive();
    for (const operation of operations) connection.receive(operation);
    return new Response(peer.body, { headers: SSE_HEADERS });
  }

  #connect(socket: WebSocket, authenticated: Authenticated | undefined, address: string | null): Connection {
    const peer = new SocketPeer(
      socket,
      () => this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime(),
      address ?? undefined,
      new Receipts(this.#core.limits, Date.now),
    );
    const connection = this.#core.connect(peer, authenticated);
    this.#connections.set(socket, connection);
    this.#sockets.set(connection, socket);
    return connection;
  }

  #forget(socket: WebSocket): void {
    const connection = this.#connections.get(socket);
    this.#connections.delete(socket);
    this.ctx.storage.sql.exec('DELETE FROM subscriptions WHERE socket = ?', idOf(socket));
    if (!connection) return;
    connection.closed();
    this.#sockets.delete(connection);
  }

  /** Sockets that lived on while this object slept: everything in memory is lost, what they subscribed to is not. */
  #restore(): void {
    const { sql } = this.ctx.storage;
    const sinceMs = this.ctx.storage.kv.get<number>('booksUntilMs');
    for (const socket of this.ctx.getWebSockets()) {
      const { id, authenticated, address } = socket.deserializeAttachment() as Attachment;
      const rows = sql
        .exec<SubscriptionRow>('SELECT topic, selectors, seq FROM subscriptions WHERE socket = ?', id)
        .toArray();
      const connection = this.#connect(socket, authenticated ?? undefined, address);
      for (const { topic, selectors, seq } of rows)
        connection.restore(topic, JSON.parse(selectors) as string[], seq, {
          reason: 'The hub slept: what happened meanwhile is not known one by one.',
          sinceMs,
        });
    }
    const alive = new Set([...this.#connections.keys()].map(idOf));
    for (const { socket } of sql.exec<{ socket: string }>('SELECT DISTINCT socket FROM subscriptions').toArray())
      if (!alive.has(socket)) sql.exec('DELETE FROM subscriptions WHERE socket = ?', socket);
  }

  #remember(connection: Connection): void {
    const socket = this.#sockets.get(connection);
    if (!socket || connection.state === 'closed') return;
    const { id, authenticated, address } = socket.deserializeAttachment() as Attachment;
    if (!authenticated && connection.authenticated)
      socket.serializeAttachment({ id, authenticated: connection.authenticated, address } satisfies Attachment);
    const { sql } = this.ctx.storage;
    sql.exec('DELETE FROM subscriptions WHERE socket = ?', id);
    for (const { topic, selectors, seq } of subscriptionsOf(connection))
      sql.exec('INSERT INTO subscriptions VALUES (?, ?, ?, ?)', id, topic, JSON.stringify(selectors), seq);
  }

  /** Keeps the core ticking while there is something to do; the timer alone would keep this object in memory. */
  #drive(): void {
    if (this.#core.isIdle || this.#upstream.isPaused) return;
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
  }

  #tick(): void {
    this.#counted.add({ hubSeconds: TICK_MS / 1000 });
    this.#counted.tell(Date.now());
    this.#core.tick();
    this.#answerPings();
    this.#tellFigures();
    if (!this.#upstream.isOpen) this.#upstreamSinceMs = Date.now();
    else if (this.#core.system.market === 'closed' && Date.now() - this.#upstreamSinceMs > this.timings().closedGraceMs)
      if (topicsFrom('books').every((topic) => !this.#upstream.wants(topic))) {
        // Only ticks are wanted: the container may sleep until they come again.
        const { opensAtMs } = this.#core.system;
        this.#sleep(Math.min(opensAtMs ?? Infinity, Date.now() + LOOK_AGAIN_MS));
      }
    // Connected clients that follow nothing need no heartbeat from a hub that may sleep.
    if (this.#core.isSilent) this.#rest();
  }

  #tellFigures(): void {
    const deltas = this.#figures.due(this.#core.counters, Date.now());
    if (!deltas) return;
    const told = this.#bridge().figuresTold('hub', deltas, this.#core.connections.size);
    this.ctx.waitUntil(Promise.resolve(told).catch(() => undefined));
  }

  /** The market is closed: what was told last is old from now on. */
  #sleep(untilMs: number): void {
    this.#core.markAllStale();
    this.#core.flush();
    this.ctx.storage.kv.put('pausedUntilMs', untilMs);
    void this.ctx.storage.setAlarm(untilMs);
    for (const connection of this.#sockets.keys()) this.#remember(connection);
    this.#upstream.pause();
    this.#rest();
  }

  #wake(): void {
    if (!this.#upstream.isPaused) return;
    this.ctx.storage.kv.delete('pausedUntilMs');
    this.#upstreamSinceMs = Date.now();
    this.#upstream.resume();
    this.#drive();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #noteAlive(untilMs: number): void {
    if (untilMs - this.#notedAliveMs < NOTE_ALIVE_MS) return;
    this.#notedAliveMs = untilMs;
    this.ctx.storage.kv.put('booksUntilMs', untilMs);
  }

  #noteEpoch(): void {
    if (this.ctx.storage.kv.get<number>('epoch') !== this.#core.epoch)
      this.ctx.storage.kv.put('epoch', this.#core.epoch);
  }

  /** Answered by the platform, asleep or awake; the time is that of the last look. */
  #answerPings(): void {
    const { text } = this.#core.heartbeat(false);
    this.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING_TEXT, text));
  }

  async #authenticate(key: string, address: string | undefined): Promise<Authenticated | undefined> {
    const proof = await hashKey(key);
    if (key.startsWith(SESSION_TOKEN_PREFIX)) {
      const session = await this.#bridge().findSession(proof);
      return session ? { caller: callerOfSession(session), proof } : undefined;
    }
    const ring = await this.#keys.ring((used) => keeperOf(this.env, doorConfig(this.env)).apiKeys(used), Date.now());
    const caller = ring.find(proof, { address: () => address, nowMs: Date.now(), broker: this.#broker().id });
    if (caller) this.#keys.used(caller.id);
    return caller && { caller, proof };
  }

  #bridge(): DurableObjectStub<BridgeContainer> {
    return bridgeOf(this.env, doorConfig(this.env), this.#broker());
  }

  #broker(): Broker {
    return ownBroker(this.#name, doorConfig(this.env));
  }
}

const idOf = (socket: WebSocket): string => (socket.deserializeAttachment() as Attachment).id;

/** The door has checked who calls. */
function callerOf(headers: Headers): Authenticated | undefined {
  const caller = headers.get(HEADER.caller);
  return caller === null ? undefined : { caller: JSON.parse(caller) as Caller, proof: headers.get(HEADER.proof) ?? '' };
}
