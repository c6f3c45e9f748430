import { asBridgeError, BridgeError } from '../../contract/errors.ts';
import {
  DATA_TOPICS,
  perTopic,
  STREAM_LIMITS,
  topicEntry,
  topicsFrom,
  type DataTopic,
  type SystemEvent,
} from '../../contract/frames.ts';
import type { Change, SourceEvent } from '../../contract/hub-link.ts';
import { sliceInWords } from '../../contract/slice-keys.ts';
import { isMask, type StreamSource } from '../../stream/source.ts';
import type { BrokerClock } from '../../webapi/time.ts';
import { DealFeed } from './deal-feed.ts';
import { EquityFeed } from './equity-feed.ts';
import type { Feed } from './feed.ts';
import { loadsOf } from './loads.ts';
import { LoginFeed } from './login-feed.ts';
import { Loop, type LoopOutcome, type LoopTimes } from './loop.ts';
import { MarketWatch } from './market-watch.ts';
import { Budget, Pace } from './pace.ts';
import { FeedReads, type BrokerReads } from './reads.ts';
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
  /** The most questions a second of the whole bridge, of which streaming takes half; absent = as its pace allows. */
  readonly upstreamPerSecond?: number | undefined;
  readonly staleAfterMs?: number;
  readonly onError?: (error: unknown) => void;
}

/** Ticks: ten looks a second under change, one in silence, one in ten seconds out of hours. */
const TICK_TIMES = { minMs: 100, maxMs: 1_000 };
const CLOSED_TIMES = { minMs: 1_000, maxMs: 10_000 };
/** Each topic of accounts' books by itself: a deal does not wait until all accounts have been read. */
const LOGIN_TIMES = { minMs: 250, maxMs: 1_000 };
/** Deals are few, and waited for. */
const DEAL_TIMES = { minMs: 250, maxMs: 500 };
const WATCH_MS = 1_000;
/** Entities and changes of one event: about half a megabyte, which a hub's link carries easily. */
const MOST_AT_ONCE = 500;
/** How exactly a gap says since when. */
const ALIVE_EVERY_MS = 1_000;

const MARKET_TOPICS = topicsFrom('market');
const isOfMarket = (topic: DataTopic): boolean => topicEntry(topic).source === 'market';

export class Poller {
  readonly #options: PollerOptions;
  readonly #stop = new AbortController();
  readonly #reads: readonly FeedReads[];
  readonly #ticks: TickFeed;
  readonly #market: MarketWatch;
  readonly #feeds: Readonly<Record<DataTopic, Feed>>;
  readonly #seq = perTopic(() => 0);
  readonly #sinks = new Set<Sink>();
  readonly #loops: Readonly<Record<DataTopic, Loop>>;
  readonly #counters = { changes: 0, failures: 0 };
  /** Until when each topic has been told; Infinity = it is not followed. */
  readonly #toldUntilMs = perTopic(() => Infinity);
  readonly #aliveAtMs = { market: 0, books: 0 };
  #failedAtMs = 0;
  #epoch: number | null = null;
  #trouble: 'session_lost' | 'maintenance' | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;

  constructor(options: PollerOptions) {
    this.#options = options;
    const { clock, now } = options;
    const budget = new Budget(now, options.upstreamPerSecond === undefined ? undefined : options.upstreamPerSecond / 2);
    const signal = this.#stop.signal;
    const paced = (): FeedReads => new FeedReads({ reads: options.reads, now, pace: new Pace(now, budget), signal });
    const reads = paced();
    const bookReads = paced();
    this.#reads = [reads, bookReads];
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
      accounts: new LoginFeed('accounts', bookReads, clock, now),
      positions: new LoginFeed('positions', bookReads, clock, now),
      orders: new LoginFeed('orders', bookReads, clock, now),
      deals: new DealFeed(bookReads, clock, now),
      equity: new EquityFeed(bookReads, now, (error) => options.onError?.(error)),
    };
    const marketTimes = (): LoopTimes => (this.#market.state === 'closed' ? CLOSED_TIMES : TICK_TIMES);
    this.#loops = perTopic(
      (topic) =>
        new Loop(
          () => this.#round(topic),
          isOfMarket(topic) ? marketTimes : () => (topic === 'deals' ? DEAL_TIMES : LOGIN_TIMES),
        ),
    );
  }

  /** A subscriber of events; everything that it wants is followed until it drops it or is detached. */
  attach(emit: (event: SourceEvent) => void): StreamSource & { detach(): void } {
    const sink = new Sink(emit, (mask) => this.#market.symbolsOf(mask));
    this.#sinks.add(sink);
    // It hears with its first answers until when it was told: else a loss within a second would be one of unknown length.
    this.#aliveAtMs.market = this.#aliveAtMs.books = 0;
    return {
      want: (topic, selectors) => {
        for (const selector of selectors) sink.wants[topic].add(selector);
        this.#kick(topic);
      },
      drop: (topic, selectors) => {
        for (const selector of selectors) {
          sink.wants[topic].delete(selector);
          sink.masks.delete(selector);
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
    for (const reads of this.#reads) reads.restart();
    if (epoch !== this.#epoch) for (const sink of this.#sinks) sink.forgetAll();
    this.#epoch = epoch;
    this.#greet();
  }

  /** Something that every client is told. */
  announce(event: SystemEvent, data: Readonly<Record<string, string | number | null>>): void {
    for (const sink of this.#sinks) sink.emit({ kind: 'system', event, data });
  }

  stop(): void {
    this.#stop.abort();
    for (const topic of DATA_TOPICS) this.#loops[topic].stop();
    clearInterval(this.#watch);
    this.#sinks.clear();
  }

  stats(): Record<string, number> {
    const followed = Object.fromEntries(DATA_TOPICS.map((topic) => [topic, this.#feeds[topic].size]));
    const requests = this.#reads.reduce((sum, reads) => sum + reads.requests, 0);
    return { requests, ...this.#counters, ...this.#ticks.counters, ...followed };
  }

  /** Followed symbols: when the last new tick of each was seen, and whether that is too long ago inside its hours. */
  symbols(): { readonly symbol: string; readonly lastTickAtMs: number; readonly stale: boolean }[] {
    return [...this.#ticks.lastSeen()].map(({ symbol, seenAtMs }) => ({
      symbol,
      lastTickAtMs: seenAtMs,
      stale: this.#market.isStale(symbol),
    }));
  }

  #kick(topic: DataTopic): void {
    if (this.#stop.signal.aborted) return;
    this.#loops[topic].kick();
    if (isOfMarket(topic)) this.#watch ??= setInterval(() => this.#lookAround(), WATCH_MS);
  }

  /** Loads what is new, delivers it, then polls. Never throws. */
  async #round(topic: DataTopic): Promise<LoopOutcome> {
    const startedAtMs = this.#options.now();
    try {
      if (![...this.#sinks].some((sink) => sink.wants[topic].size > 0)) {
        this.#toldUntilMs[topic] = Infinity;
        return 'idle';
      }
      this.#toldUntilMs[topic] = Math.min(this.#toldUntilMs[topic], startedAtMs);
      if (isOfMarket(topic)) await this.#resolveMasks(topic);
      await this.#load(topic);
      await this.#tellMissed(topic);
      const isChanged = await this.#poll(topic);
      this.#recovered(startedAtMs);
      this.#toldUntilMs[topic] = startedAtMs;
      this.#tellAlive(topicEntry(topic).source);
      return isChanged ? 'changed' : 'quiet';
    } catch (error) {
      if (this.#stop.signal.aborted) return 'idle';
      this.#counters.failures++;
      this.#failedAtMs = this.#options.now();
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

  #tellAlive(source: 'market' | 'books'): void {
    const untilMs = Math.min(...topicsFrom(source).map((topic) => this.#toldUntilMs[topic]));
    if (untilMs - this.#aliveAtMs[source] < ALIVE_EVERY_MS) return;
    this.#aliveAtMs[source] = untilMs;
    for (const sink of this.#sinks) sink.emit({ kind: 'alive', source, untilMs });
  }

  /** @returns whether anything changed */
  async #poll(topic: DataTopic): Promise<boolean> {
    if (this.#feeds[topic].size === 0) return false;
    let isChanged = false;
    try {
      await this.#feeds[topic].poll((changes) => {
        isChanged ||= changes.length > 0;
        this.#publish(topic, changes);
      });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // A right that was taken away stops this topic, not the others.
      this.#counters.failures++;
      this.#options.onError?.(error);
    }
    return isChanged;
  }

  async #resolveMasks(topic: DataTopic): Promise<void> {
    const masks = new Set<string>();
    for (const sink of this.#sinks) for (const want of sink.wants[topic]) if (isMask(topic, want)) masks.add(want);
    await this.#market.resolve(masks);
  }

  async #load(topic: DataTopic): Promise<void> {
    const feed = this.#feeds[topic];
    const fresh = new Set<string>();
    // What a sink was told is refused counts as delivered: it is not asked for again and again.
    for (const sink of this.#sinks)
      for (const key of sink.keys(topic)) if (!feed.isFollowed(key) && !sink.delivered[topic].has(key)) fresh.add(key);
    const wanted = [...fresh];
    // Part by part: what has been loaded is delivered before the next is asked for.
    for (let at = 0; at < wanted.length; at += MOST_AT_ONCE) {
      const part = wanted.slice(at, at + MOST_AT_ONCE);
      let missing: readonly string[];
      try {
        missing = await feed.load(part);
      } catch (error) {
        // The broker says no to this, not to everything: who asked is told, the rest goes on.
        if (!isRefusal(error)) throw error;
        this.#refuse(topic, part, error);
        continue;
      }
      // Dropped while it was being loaded.
      this.#trim(topic);
      // A slice that is followed again has a gap before it: no subscriber's sequence may continue over it.
      this.#seq[topic]++;
      if (missing.length > 0)
        this.#refuse(topic, missing, new BridgeError('object_not_found', 'The broker has no account of this login.'));
      if (isOfMarket(topic)) this.#market.learn(new Set(part));
      this.#greet();
      this.#deliver(topic);
    }
    this.#greet();
    this.#deliver(topic);
  }

  #refuse(topic: DataTopic, keys: Iterable<string>, error: BridgeError): void {
    for (const key of keys)
      for (const sink of this.#sinks) {
        if (!sink.keys(topic).has(key)) continue;
        this.#greet();
        sink.delivered[topic].add(key);
        const what = isOfMarket(topic) ? `Symbol ${key}` : sliceInWords(key);
        const detail = `${what}: ${error.context.detail}`;
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
      if (isOfMarket(topic))
        for (const [mask, symbols] of sink.newMasks(topic)) sink.emit({ kind: 'mask', mask, symbols });
      const keys = [...sink.keys(topic)].filter((key) => !sink.delivered[topic].has(key) && feed.isFollowed(key));
      for (const slices of loadsOf(feed, keys, MOST_AT_ONCE))
        sink.emit({ kind: 'load', topic, seq: this.#seq[topic], slices });
      for (const key of keys) sink.delivered[topic].add(key);
      if (!isOfMarket(topic)) continue;
      const stale = keys.filter((key) => this.#market.isStale(key));
      if (stale.length > 0) sink.emit({ kind: 'mark', mark: 'stale', symbols: stale });
    }
  }

  #publish(topic: DataTopic, changes: readonly Change[]): void {
    this.#counters.changes += changes.length;
    for (let at = 0; at < changes.length; at += MOST_AT_ONCE) {
      const part = changes.slice(at, at + MOST_AT_ONCE);
      const seq = ++this.#seq[topic];
      if (isOfMarket(topic)) this.#mark('live', this.#market.revived(part.map(({ key }) => key)));
      for (const sink of this.#sinks) {
        const own = part.filter(({ key }) => sink.delivered[topic].has(key));
        if (own.length > 0) sink.emit({ kind: 'change', topic, seq, changes: own });
      }
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
      for (const topic of MARKET_TOPICS) this.#loops[topic].kick();
    }
  }

  #failed(error: BridgeError): void {
    // "Too many requests" and the like: slower, but the session stands.
    if (error.outcome === 'refused' && error.code !== 'broker_unavailable') return;
    // Told by itself.
    if (error.code === 'circuit_open') return;
    const trouble = error.code === 'broker_unavailable' ? 'maintenance' : 'session_lost';
    if (this.#trouble === trouble) return;
    this.#trouble = trouble;
    for (const sink of this.#sinks)
      sink.emit({ kind: 'system', event: trouble, data: { code: error.code, detail: error.context.detail } });
  }

  /** By a round that began after the last failure: others may still be failing. */
  #recovered(startedAtMs: number): void {
    if (!this.#trouble || startedAtMs < this.#failedAtMs) return;
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
