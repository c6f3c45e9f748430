import { asBridgeError, BridgeError } from '../../contract/errors.ts';
import { DATA_TOPICS, perTopic, STREAM_LIMITS, topicEntry, topicsFrom, type DataTopic } from '../../contract/frames.ts';
import type { Change, SourceEvent } from '../../contract/hub-link.ts';
import { isMask, type StreamSource } from '../../stream/source.ts';
import type { BrokerClock } from '../../webapi/time.ts';
import { DealFeed } from './deal-feed.ts';
import type { Feed, LoadedSlice } from './feed.ts';
import { LoginFeed } from './login-feed.ts';
import { Loop, type LoopOutcome } from './loop.ts';
import { MarketWatch } from './market-watch.ts';
import { BudgetedReads, type BrokerReads } from './reads.ts';
import { Sink } from './sink.ts';
import { TickFeed } from './tick-feed.ts';

/**
 * The source of streams: polls the broker once for everybody. Whatever the number of subscribers, one symbol is asked
 * for once, one login is read once; without subscribers nothing is asked at all.
 */
export interface PollerOptions {
  readonly reads: BrokerReads;
  readonly clock: () => Promise<BrokerClock>;
  readonly now: () => number;
  readonly staleAfterMs?: number;
  readonly onError?: (error: unknown) => void;
}

/** Requests per second that streaming may send in all: half of what one session at 25 ms a round trip carries. */
const REQUESTS_PER_SECOND = 20;
/** Ticks: ten looks a second under change, one in silence, one in ten seconds out of hours. */
const TICK_TIMES = { minMs: 100, maxMs: 1_000 };
const CLOSED_TIMES = { minMs: 1_000, maxMs: 10_000 };
/** Accounts, positions, orders, deals: up to four requests a round. */
const LOGIN_TIMES = { minMs: 250, maxMs: 1_000 };
const WATCH_MS = 1_000;
/** How exactly a gap says since when. */
const ALIVE_EVERY_MS = 1_000;

const MARKET_TOPICS = topicsFrom('market');
const BOOK_TOPICS = topicsFrom('books');
const isOfMarket = (topic: DataTopic): boolean => topicEntry(topic).source === 'market';

export class Poller {
  readonly #options: PollerOptions;
  readonly #stop = new AbortController();
  readonly #reads: BudgetedReads;
  readonly #ticks: TickFeed;
  readonly #market: MarketWatch;
  readonly #feeds: Readonly<Record<DataTopic, Feed>>;
  readonly #seq = perTopic(() => 0);
  readonly #sinks = new Set<Sink>();
  readonly #tickLoop: Loop;
  readonly #loginLoop: Loop;
  readonly #counters = { changes: 0, failures: 0 };
  readonly #aliveAtMs = { market: 0, books: 0 };
  #epoch: number | null = null;
  #trouble: 'session_lost' | 'maintenance' | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;

  constructor(options: PollerOptions) {
    this.#options = options;
    const { clock, now } = options;
    const reads = new BudgetedReads({
      reads: options.reads,
      now,
      perSecond: REQUESTS_PER_SECOND,
      signal: this.#stop.signal,
    });
    this.#reads = reads;
    this.#ticks = new TickFeed(reads, clock, now);
    this.#market = new MarketWatch({
      reads,
      clock,
      now,
      ticks: this.#ticks,
      staleAfterMs: options.staleAfterMs ?? STREAM_LIMITS.staleAfterMs,
    });
    this.#feeds = {
      ticks: this.#ticks,
      accounts: new LoginFeed('accounts', reads, clock, now),
      positions: new LoginFeed('positions', reads, clock, now),
      orders: new LoginFeed('orders', reads, clock, now),
      deals: new DealFeed(reads, clock, now),
    };
    this.#tickLoop = new Loop(
      () => this.#round(MARKET_TOPICS),
      () => (this.#market.state === 'closed' ? CLOSED_TIMES : TICK_TIMES),
    );
    this.#loginLoop = new Loop(
      () => this.#round(BOOK_TOPICS),
      () => LOGIN_TIMES,
    );
  }

  /** A subscriber of events; everything that it wants is followed until it drops it or is detached. */
  attach(emit: (event: SourceEvent) => void): StreamSource & { detach(): void } {
    const sink = new Sink(emit, (mask) => this.#market.symbolsOf(mask));
    this.#sinks.add(sink);
    return {
      want: (topic, selectors) => {
        for (const selector of selectors) sink.wants[topic].add(selector);
        this.#kick(topic);
      },
      drop: (topic, selectors) => {
        for (const selector of selectors) {
          sink.wants[topic].delete(selector);
          if (isMask(selector)) sink.masks.delete(selector);
        }
        sink.trim(topic);
        this.#trim(topic);
      },
      missed: (topic, keys, request) => {
        sink.missed.push({ topic, keys, ...request });
        this.#kick(topic);
      },
      detach: () => {
        this.#sinks.delete(sink);
        for (const topic of DATA_TOPICS) this.#trim(topic);
      },
    };
  }

  /** The bridge has signed in: a new connection, whose server may have restarted its counter, and perhaps a new epoch. */
  signedIn(epoch: number): void {
    this.#ticks.restart();
    if (epoch !== this.#epoch) for (const sink of this.#sinks) sink.forgetAll();
    this.#epoch = epoch;
    this.#greet();
  }

  stop(): void {
    this.#stop.abort();
    this.#tickLoop.stop();
    this.#loginLoop.stop();
    clearInterval(this.#watch);
    this.#sinks.clear();
  }

  stats(): Record<string, number> {
    const followed = Object.fromEntries(DATA_TOPICS.map((topic) => [topic, this.#feeds[topic].size]));
    return { requests: this.#reads.requests, ...this.#counters, ...this.#ticks.counters, ...followed };
  }

  #kick(topic: DataTopic): void {
    if (this.#stop.signal.aborted) return;
    if (!isOfMarket(topic)) return this.#loginLoop.kick();
    this.#tickLoop.kick();
    this.#watch ??= setInterval(() => this.#lookAround(), WATCH_MS);
  }

  /** Loads what is new, delivers it, then polls. Never throws. */
  async #round(topics: readonly DataTopic[]): Promise<LoopOutcome> {
    let outcome: LoopOutcome = 'idle';
    const startedAtMs = this.#options.now();
    try {
      for (const topic of topics) {
        if (![...this.#sinks].some((sink) => sink.wants[topic].size > 0)) continue;
        if (outcome === 'idle') outcome = 'quiet';
        if (isOfMarket(topic)) await this.#resolveMasks(topic);
        await this.#load(topic);
        this.#greet();
        this.#deliver(topic);
        await this.#tellMissed(topic);
        const changes = await this.#poll(topic);
        if (changes.length > 0) outcome = 'changed';
        this.#publish(topic, changes);
      }
      if (outcome !== 'idle') {
        this.#recovered();
        this.#tellAlive(topics === MARKET_TOPICS ? 'market' : 'books', startedAtMs);
      }
      return outcome;
    } catch (error) {
      if (this.#stop.signal.aborted) return 'idle';
      this.#counters.failures++;
      this.#failed(asBridgeError(error));
      if (!(error instanceof BridgeError)) this.#options.onError?.(error);
      return 'failed';
    }
  }

  /** Between loading and polling: what is known now came before every change that follows. */
  async #tellMissed(topic: DataTopic): Promise<void> {
    const feed = this.#feeds[topic];
    for (const sink of this.#sinks)
      for (const request of sink.takeMissed(topic)) {
        const { id, keys, sinceMs } = request;
        try {
          const rows =
            (await feed.missed?.(
              keys.filter((key) => feed.isFollowed(key)),
              sinceMs,
            )) ?? [];
          sink.emit({ kind: 'missed', topic, id, rows });
        } catch (error) {
          if (isRefusal(error)) sink.emit({ kind: 'missed', topic, id, rows: null });
          else {
            sink.missed.push(request);
            throw error;
          }
        }
      }
  }

  #tellAlive(source: 'market' | 'books', untilMs: number): void {
    if (untilMs - this.#aliveAtMs[source] < ALIVE_EVERY_MS) return;
    this.#aliveAtMs[source] = untilMs;
    for (const sink of this.#sinks) sink.emit({ kind: 'alive', source, untilMs });
  }

  async #poll(topic: DataTopic): Promise<readonly Change[]> {
    if (this.#feeds[topic].size === 0) return [];
    try {
      return await this.#feeds[topic].poll();
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // A right that was taken away stops this topic, not the others.
      this.#counters.failures++;
      this.#options.onError?.(error);
      return [];
    }
  }

  async #resolveMasks(topic: DataTopic): Promise<void> {
    const masks = new Set<string>();
    for (const sink of this.#sinks) for (const want of sink.wants[topic]) if (isMask(want)) masks.add(want);
    await this.#market.resolve(masks);
  }

  async #load(topic: DataTopic): Promise<void> {
    const feed = this.#feeds[topic];
    const fresh = new Set<string>();
    // What a sink was told is refused counts as delivered: it is not asked for again and again.
    for (const sink of this.#sinks)
      for (const key of sink.keys(topic)) if (!feed.isFollowed(key) && !sink.delivered[topic].has(key)) fresh.add(key);
    if (fresh.size === 0) return;
    let loaded: readonly LoadedSlice[];
    try {
      loaded = await feed.load([...fresh]);
    } catch (error) {
      // The broker says no to this, not to everything: who asked is told, the rest goes on.
      if (!isRefusal(error)) throw error;
      this.#refuse(topic, fresh, error);
      return;
    }
    // Dropped while it was being loaded.
    this.#trim(topic);
    // A slice that is followed again has a gap before it: no subscriber's sequence may continue over it.
    this.#seq[topic]++;
    const missing = loaded.filter((slice) => slice.missing).map(({ key }) => key);
    if (missing.length > 0)
      this.#refuse(topic, missing, new BridgeError('object_not_found', 'The broker has no account of this login.'));
    if (isOfMarket(topic)) this.#market.learn(fresh);
  }

  #refuse(topic: DataTopic, keys: Iterable<string>, error: BridgeError): void {
    for (const key of keys)
      for (const sink of this.#sinks) {
        if (!sink.keys(topic).has(key)) continue;
        this.#greet();
        sink.delivered[topic].add(key);
        const detail = `${topicEntry(topic).noun} ${key}: ${error.context.detail}`;
        sink.emit({ kind: 'refused', topic, selector: key, code: error.code, detail });
      }
  }

  /** Every new sink, and every sink in a new epoch, starts with a reset. */
  #greet(): void {
    const epoch = this.#epoch;
    if (epoch === null) return;
    for (const sink of this.#sinks) {
      if (sink.epoch === epoch) continue;
      sink.epoch = epoch;
      sink.emit({ kind: 'reset', epoch, reason: 'The bridge signed in again.' });
      if (this.#market.state !== 'unknown') sink.emit(this.#market.event());
    }
  }

  /** Loads for those who wait for a slice that is followed. */
  #deliver(topic: DataTopic): void {
    const feed = this.#feeds[topic];
    for (const sink of this.#sinks) {
      const slices = [];
      if (isOfMarket(topic))
        for (const [mask, symbols] of sink.newMasks(topic)) sink.emit({ kind: 'mask', mask, symbols });
      for (const key of sink.keys(topic)) {
        if (sink.delivered[topic].has(key) || !feed.isFollowed(key)) continue;
        sink.delivered[topic].add(key);
        slices.push({ key, entities: feed.entities(key), known: feed.known?.(key) });
      }
      if (slices.length === 0) continue;
      sink.emit({ kind: 'load', topic, seq: this.#seq[topic], slices });
      if (!isOfMarket(topic)) continue;
      const stale = slices.map(({ key }) => key).filter((key) => this.#market.isStale(key));
      if (stale.length > 0) sink.emit({ kind: 'mark', mark: 'stale', symbols: stale });
    }
  }

  #publish(topic: DataTopic, changes: readonly Change[]): void {
    if (changes.length === 0) return;
    this.#counters.changes += changes.length;
    const seq = ++this.#seq[topic];
    if (isOfMarket(topic)) this.#mark('live', this.#market.revived(changes.map(({ key }) => key)));
    for (const sink of this.#sinks) {
      const own = changes.filter(({ key }) => sink.delivered[topic].has(key));
      if (own.length > 0) sink.emit({ kind: 'change', topic, seq, changes: own });
    }
  }

  #mark(mark: 'stale' | 'live', symbols: readonly string[]): void {
    for (const sink of this.#sinks) {
      const own = symbols.filter((symbol) => MARKET_TOPICS.some((topic) => sink.delivered[topic].has(symbol)));
      if (own.length > 0) sink.emit({ kind: 'mark', mark, symbols: own });
    }
  }

  #lookAround(): void {
    this.#mark('stale', this.#market.staleNow());
    if (this.#market.stateChanged()) {
      for (const sink of this.#sinks) sink.emit(this.#market.event());
      this.#tickLoop.kick();
    }
  }

  #failed(error: BridgeError): void {
    // "Too many requests" and the like: slower, but the session stands.
    if (error.outcome === 'refused' && error.code !== 'broker_unavailable') return;
    const trouble = error.code === 'broker_unavailable' ? 'maintenance' : 'session_lost';
    if (this.#trouble === trouble) return;
    this.#trouble = trouble;
    for (const sink of this.#sinks)
      sink.emit({ kind: 'system', event: trouble, data: { code: error.code, detail: error.context.detail } });
  }

  #recovered(): void {
    if (!this.#trouble) return;
    this.#trouble = undefined;
    this.#ticks.restart();
    for (const sink of this.#sinks) sink.emit({ kind: 'system', event: 'session_restored', data: {} });
  }

  /** Stops following what no sink wants any more. */
  #trim(topic: DataTopic): void {
    const wanted = new Set<string>();
    for (const sink of this.#sinks) for (const key of sink.keys(topic)) wanted.add(key);
    const feed = this.#feeds[topic];
    feed.forget([...feed.keys()].filter((key) => !wanted.has(key)));
    if (!isOfMarket(topic) || this.#ticks.size > 0) return;
    clearInterval(this.#watch);
    this.#watch = undefined;
  }
}

/** The same request would be refused again; the session is well. */
const isRefusal = (error: unknown): error is BridgeError =>
  error instanceof BridgeError && error.outcome === 'refused' && error.retry === 'no';
