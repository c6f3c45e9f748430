import { BridgeError, asBridgeError } from '../contract/errors.ts';
import {
  DATA_TOPICS,
  perTopic,
  STREAM_LIMITS,
  SYSTEM_TOPIC,
  topicEntry,
  topicsFrom,
  type Authenticated,
  type CloseName,
  type DataTopic,
  type OperationId,
  type StreamLimits,
} from '../contract/frames.ts';
import { isEnded } from '../contract/keys.ts';
import { isGroupKey } from '../contract/slice-keys.ts';
import { chunkOf, makeFrame, type Chunk, type FrameParts, type OutFrame } from './chunk.ts';
import { Connection } from './connection.ts';
import { SESSION_AFTER, type StreamCoreOptions, type SystemState } from './core-options.ts';
import { catchUp, owe, sendMarks, serve } from './delivery.ts';
import type { Group } from './group.ts';
import type { Peer } from './member.ts';
import { GapCounts } from './gap-counts.ts';
import { MissedEvents } from './missed.ts';
import type { SourceEvent } from '../contract/hub-link.ts';
import { isMask } from './source.ts';
import { TopicLog } from './topic-log.ts';

/** 25 symbols at 40 changes a second fill it in about 20 s; 1,000 ticks a second in 20 s as well, at 200 bytes each. */
const RING_BYTES = 6 * 1024 * 1024;

/**
 * The streaming protocol without a runtime: events of a source go in, frames for connections come out. The container's
 * WebSocket server, its server-sent events and the hub Durable Object all drive this class. It has no timers: its owner
 * calls `tick` about once a second while `isIdle` is false.
 */
export class StreamCore {
  readonly options: StreamCoreOptions;
  readonly limits: StreamLimits;
  readonly connections = new Set<Connection>();
  readonly lagging = new Set<Connection>();
  readonly system: SystemState = { session: 'unknown', market: 'unknown', opensAtMs: null };
  readonly counters = { frames: 0, conflated: 0, gaps: 0, slowConsumers: 0, refusedOperations: 0 };
  #epoch: number;
  #systemSeq = 0;
  #lastBeatMs: number;
  #lastCheckMs: number;
  #flushDue = false;
  readonly #logs: Readonly<Record<DataTopic, TopicLog>>;
  readonly #dirty = new Set<Group>();
  readonly missed = new MissedEvents();
  readonly gaps: GapCounts;
  /** Until when everything of each source has been told. */
  readonly #aliveUntilMs: { market?: number; books?: number } = {};

  constructor(options: StreamCoreOptions) {
    this.options = options;
    this.limits = { ...STREAM_LIMITS, ...options.limits };
    this.gaps = new GapCounts(options.onGaps);
    this.#epoch = options.epoch ?? 0;
    this.#lastBeatMs = this.#lastCheckMs = options.now();
    const log = (topic: DataTopic): TopicLog => new TopicLog(topic, options.source, options.ringBytes ?? RING_BYTES);
    this.#logs = perTopic(log);
  }

  get epoch(): number {
    return this.#epoch;
  }

  get systemSeq(): number {
    return this.#systemSeq;
  }

  /** Nobody is connected and nothing is followed: `tick` has nothing to do. */
  get isIdle(): boolean {
    return this.connections.size === 0 && DATA_TOPICS.every((topic) => this.#logs[topic].interestCount === 0);
  }

  /** Nobody is about to present a key, and nothing is followed: only heartbeats are left to do. */
  get isSilent(): boolean {
    for (const { state } of this.connections) if (state !== 'open') return false;
    return DATA_TOPICS.every((topic) => this.#logs[topic].interestCount === 0);
  }

  log(topic: DataTopic): TopicLog {
    return this.#logs[topic];
  }

  connect(peer: Peer, authenticated?: Authenticated): Connection {
    const connection = new Connection(this, peer, authenticated);
    this.connections.add(connection);
    return connection;
  }

  apply(event: SourceEvent): void {
    switch (event.kind) {
      case 'change': {
        const log = this.#logs[event.topic];
        if (event.seq <= log.seq) return;
        log.change(event.seq, event.changes, this.options.now(), this.#dirty);
        this.#flushLater();
        return;
      }
      case 'mark': {
        for (const topic of topicsFrom('market'))
          this.#logs[topic].mark(event.mark, event.symbols, this.options.now(), this.#dirty);
        this.#flushLater();
        return;
      }
      case 'load':
        this.flush();
        this.#serveGroups(this.#logs[event.topic].load(event));
        return;
      case 'mask':
        this.flush();
        for (const topic of topicsFrom('market')) this.#serveGroups(this.#logs[topic].mask(event.mask, event.symbols));
        return;
      case 'refused':
        this.#refuse(event);
        return;
      case 'alive':
        this.#aliveUntilMs[event.source] = event.untilMs;
        return;
      case 'missed':
        this.flush();
        for (const member of this.missed.told(event)) serve(this, member);
        return;
      case 'reset':
        this.#reset(event.epoch, event.reason);
        return;
      case 'system':
        if (event.event === 'market_closed') {
          this.system.market = 'closed';
          this.system.opensAtMs = Number(event.data['opensAtMs']) || null;
        } else if (event.event === 'market_open') this.system.market = 'open';
        else this.system.session = SESSION_AFTER[event.event] ?? this.system.session;
        this.#announce({ event: event.event, ...event.data });
        return;
    }
  }

  /** Before it is told: what is true now. */
  async lookAtSession(): Promise<void> {
    const found = await this.options.lookAtSession?.().catch((error: unknown) => this.options.onError?.(error));
    if (found) this.system.session = found;
  }

  /** The source is gone: every price that was told is an old one. A reset and new loads end it. */
  markAllStale(): void {
    for (const topic of topicsFrom('market')) {
      const log = this.#logs[topic];
      log.mark('stale', [...log.slices.keys()], this.options.now(), this.#dirty);
    }
    this.#flushLater();
  }

  /** Sends everything published so far. */
  flush(): void {
    if (this.#dirty.size === 0) return;
    const time = this.time();
    for (const group of this.#dirty) group.flush(this.#epoch, time);
    this.#dirty.clear();
  }

  tick(): void {
    const now = this.options.now();
    this.flush();
    this.gaps.tell();
    for (const connection of this.lagging) {
      this.drained(connection);
      if (now - (connection.laggingSinceMs ?? now) > this.limits.maxLagMs) this.closeSlow(connection);
      else if (connection.isLagging && this.#hasLostEvents(connection)) this.closeSlow(connection);
    }
    for (const connection of this.connections)
      if ((connection.authenticated?.caller.expiresAtMs ?? Infinity) <= now) endOf(connection);
      else if (now - (connection.peer.silentSinceMs ?? now) > this.limits.maxLagMs) this.closeSlow(connection);
      else if (connection.state !== 'open' && now - connection.connectedAtMs > this.limits.authenticateWithinMs)
        connection.fail('unauthenticated', new BridgeError('unauthenticated', 'No key was presented in time.'));
    if (now - this.#lastBeatMs >= this.limits.heartbeatMs) {
      this.#lastBeatMs = now;
      const [told, owed] = [true, false].map((isTold) => chunkOf([this.heartbeat(isTold)]));
      for (const connection of this.connections)
        if (connection.state === 'open' && told && owed) connection.offer(connection.isOwed ? owed : told);
    }
    for (const topic of DATA_TOPICS) this.#logs[topic].sweep(now - this.limits.lingerMs);
    if (now - this.#lastCheckMs >= this.limits.recheckMs) {
      this.#lastCheckMs = now;
      void this.#checkSessions();
    }
  }

  /** If the client has caught up with what it was sent, it is told what it missed. */
  drained(connection: Connection): void {
    if (!connection.isLagging || connection.peer.bufferedBytes > this.limits.softBufferBytes / 2) return;
    this.flush();
    const sinceMs = connection.laggingSinceMs ?? 0;
    connection.laggingSinceMs = undefined;
    this.lagging.delete(connection);
    if (connection.missedSystem) {
      connection.missedSystem = false;
      const at = { topic: SYSTEM_TOPIC, seq: this.#systemSeq } as const;
      connection.send({ type: 'gap', ...at, prev: 0, data: JSON.stringify({ reason: 'slow client' }) });
      connection.send({ type: 'snapshot', ...at, prev: this.#systemSeq, data: JSON.stringify([this.system]) });
    }
    for (const member of connection.members.values()) {
      if (connection.isLagging || connection.state === 'closed') return;
      const { behind, source } = topicEntry(member.log.name);
      catchUp(this, member, behind === 'every' ? 'every' : 'latest');
      if (source === 'market' && member.state === 'live') sendMarks(member, sinceMs);
      serve(this, member);
    }
  }

  /** Connections that have not shown a key. */
  get strangers(): number {
    let count = 0;
    for (const { state } of this.connections) if (state === 'unauthenticated' || state === 'authenticating') count++;
    return count;
  }

  /** Keys and traders' sessions that ended. */
  end(ended: readonly string[]): void {
    for (const connection of this.connections)
      if (connection.authenticated && isEnded(connection.authenticated.caller, ended)) endOf(connection);
  }

  /** Closes every connection; clients come back and resume. */
  closeAll(name: CloseName): void {
    this.flush();
    for (const connection of this.connections) connection.close(name);
  }

  closeSlow(connection: Connection): void {
    this.counters.slowConsumers++;
    connection.fail(
      'slowConsumer',
      new BridgeError(
        'overloaded',
        'The client reads too slowly, or showed no sign that it reads: too much was waiting for it, or for too long.',
      ),
    );
  }

  removed(connection: Connection): void {
    this.connections.delete(connection);
    this.lagging.delete(connection);
    this.options.onConnections?.();
  }

  frame(parts: Omit<FrameParts, 'epoch' | 'time'>): OutFrame {
    return makeFrame({ ...parts, epoch: this.#epoch, time: this.time() });
  }

  /** `isTold`: everything until `aliveUntilMs` has been sent to whom this goes to. With `id`: the answer to that ping. */
  heartbeat(isTold: boolean, id?: OperationId): OutFrame {
    const { market = null, books = null } = isTold ? this.#aliveUntilMs : {};
    const data = JSON.stringify({ marketUntilMs: market, booksUntilMs: books });
    const seq = this.#systemSeq;
    return this.frame({ type: 'heartbeat', topic: SYSTEM_TOPIC, seq, prev: seq, data, id });
  }

  time(): string {
    return new Date(this.options.now()).toISOString();
  }

  stats(): Record<string, number> {
    let selectors = 0;
    let groups = 0;
    let ringBytes = 0;
    for (const topic of DATA_TOPICS) {
      selectors += this.#logs[topic].interestCount;
      groups += this.#logs[topic].groups.size;
      ringBytes += this.#logs[topic].ring.bytes;
    }
    return {
      connections: this.connections.size,
      lagging: this.lagging.size,
      selectors,
      groups,
      ringBytes,
      ...this.counters,
    };
  }

  /** Consumer sessions end by revocation, expiry or a changed password: their streams end with them. */
  async #checkSessions(): Promise<void> {
    const { stillValid } = this.options;
    const open = [...this.connections].filter(({ authenticated }) => authenticated?.caller.sessionId !== undefined);
    if (!stillValid || open.length === 0) return;
    try {
      const valid = await stillValid([...new Set(open.map(({ authenticated }) => authenticated?.proof ?? ''))]);
      for (const connection of open)
        if (!valid.has(connection.authenticated?.proof ?? ''))
          connection.fail('unauthenticated', new BridgeError('unauthenticated', 'The session was revoked or expired.'));
    } catch (error) {
      this.options.onError?.(error);
    }
  }

  #serveGroups(groups: Iterable<Group>): void {
    for (const group of groups) for (const member of group.members()) serve(this, member);
  }

  #reset(epoch: number, reason: string): void {
    this.flush();
    const newEpoch = epoch !== this.#epoch;
    const first = this.#epoch === 0;
    this.#epoch = epoch;
    this.missed.forget();
    for (const topic of DATA_TOPICS) {
      const log = this.#logs[topic];
      log.reset(newEpoch);
      for (const group of log.groups.values())
        for (const member of group.members()) {
          // A client that was sent nothing yet has no gap.
          const fresh = member.state === 'waiting' && member.gap === undefined;
          owe(member, reason, this.#aliveUntilMs[topicEntry(topic).source], this.options.now());
          if (fresh) {
            member.gap = undefined;
            member.since = undefined;
          }
          if (newEpoch) member.seq = 0;
        }
    }
    const wasLost = this.system.session === 'lost' || this.system.session === 'maintenance';
    if (newEpoch && !first) this.apply({ kind: 'system', event: 'session_replaced', data: { epoch, reason } });
    else if (wasLost) this.apply({ kind: 'system', event: 'session_restored', data: {} });
    this.system.session = 'ready';
  }

  #refuse(event: Extract<SourceEvent, { kind: 'refused' }>): void {
    this.flush();
    const log = this.#logs[event.topic];
    const error = new BridgeError(event.code, {
      detail: event.detail,
      field: isGroupKey(event.selector) ? 'groups' : topicEntry(event.topic).selector,
    });
    for (const group of log.groups.values())
      if (group.selectors.includes(event.selector))
        for (const member of group.members()) member.connection.error(error, event.topic);
    this.#serveGroups(
      isMask(event.topic, event.selector)
        ? log.mask(event.selector, [])
        : log.load({
            kind: 'load',
            topic: event.topic,
            seq: Math.max(log.seq, 1),
            slices: [{ key: event.selector, entities: [] }],
          }),
    );
  }

  #announce(data: Record<string, string | number | null>): void {
    const prev = this.#systemSeq;
    // Milliseconds, made unique: still rising where the count would be lost with the memory.
    this.#systemSeq = Math.max(prev + 1, this.options.now());
    const frame = this.frame({
      type: 'system',
      topic: SYSTEM_TOPIC,
      seq: this.#systemSeq,
      prev,
      data: JSON.stringify(data),
    });
    this.#broadcast(frame);
  }

  #broadcast(frame: OutFrame): void {
    const chunk: Chunk = chunkOf([frame]);
    for (const connection of this.connections)
      if (connection.state === 'open' && !connection.offer(chunk) && frame.type === 'system')
        connection.missedSystem = true;
  }

  /** What is never conflated has left the ring before this lagging client could be told. */
  #hasLostEvents(connection: Connection): boolean {
    for (const { log, state, group, seq } of connection.members.values())
      if (topicEntry(log.name).behind === 'every' && state === 'live')
        if (group.lastSeq > seq && log.ring.floor > seq) return true;
    return false;
  }

  #flushLater(): void {
    if (this.#flushDue || this.#dirty.size === 0) return;
    this.#flushDue = true;
    this.options.defer(() => {
      this.#flushDue = false;
      try {
        this.flush();
      } catch (error) {
        this.options.onError?.(asBridgeError(error));
      }
    });
  }
}

const endOf = (connection: Connection): void =>
  connection.fail(
    'unauthenticated',
    new BridgeError('unauthenticated', 'The key or session was revoked, changed or expired.'),
  );
