import type { SourceEvent } from '../../contract/hub-link.ts';
import { Fields, payloadObjects } from '../../webapi/fields.ts';
import type { BrokerClock } from '../../webapi/time.ts';
import { isInSession, sessionHours, untilSessionMs, type SessionHours } from '../broker/session-hours.ts';
import { commaLists } from '../broker/comma-lists.ts';
import type { FeedReads } from './reads.ts';
import type { TickFeed } from './tick-feed.ts';

/** Symbols come and go by an administrator's hand. */
const MASK_FRESH_MS = 10 * 60_000;
/** Specifications of a list of symbols: about 3 kB each. */
const MAX_MASK_CHARACTERS = 1_024;

export interface MarketWatchOptions {
  readonly reads: FeedReads;
  readonly clock: () => Promise<BrokerClock>;
  readonly now: () => number;
  readonly ticks: TickFeed;
  readonly staleAfterMs: number;
}

/** Which symbols a mask stands for, when symbols are quoted, and which have fallen silent inside their hours. */
export class MarketWatch {
  state: 'unknown' | 'open' | 'closed' = 'unknown';
  readonly #options: MarketWatchOptions;
  readonly #masks = new Map<string, { symbols: readonly string[]; atMs: number }>();
  readonly #hours = new Map<string, SessionHours>();
  readonly #stale = new Set<string>();
  #clock: BrokerClock | undefined;
  #told: 'unknown' | 'open' | 'closed' = 'unknown';
  #opensAtMs: number | null = null;

  constructor(options: MarketWatchOptions) {
    this.#options = options;
  }

  symbolsOf(mask: string): readonly string[] | undefined {
    return this.#masks.get(mask)?.symbols;
  }

  /** Asks for masks that are new or old; forgets those that nobody wants. @throws BridgeError for a new one */
  async resolve(masks: ReadonlySet<string>): Promise<void> {
    const now = this.#options.now();
    for (const mask of this.#masks.keys()) if (!masks.has(mask)) this.#masks.delete(mask);
    for (const mask of masks) {
      const known = this.#masks.get(mask);
      if (known && now - known.atMs < MASK_FRESH_MS) continue;
      const found = await this.#specifications(mask.replace(/^!/, ''));
      const same = known && known.symbols.join() === found.join();
      this.#masks.set(mask, { symbols: same ? known.symbols : found, atMs: now });
    }
  }

  /** Learns the hours of new symbols, in the background: without them a symbol counts as always quoted. */
  learn(symbols: Iterable<string>): void {
    const unknown = [...symbols].filter((symbol) => !this.#hours.has(symbol));
    void (async () => {
      for (const list of commaLists(unknown, MAX_MASK_CHARACTERS)) await this.#specifications(list.join(','));
    })().catch(() => undefined);
  }

  isStale(symbol: string): boolean {
    return this.#stale.has(symbol);
  }

  /** Those of the symbols that were stale and have a tick again. */
  revived(symbols: readonly string[]): readonly string[] {
    return symbols.filter((symbol) => this.#stale.delete(symbol));
  }

  /** Symbols that have just become stale. */
  staleNow(): readonly string[] {
    const { now, ticks, staleAfterMs } = this.#options;
    const serverMs = this.#clock?.toServerMs(now());
    const fresh: string[] = [];
    let quoted = 0;
    let untilMs = Infinity;
    for (const { symbol, seenAtMs } of ticks.lastSeen()) {
      const hours = this.#hours.get(symbol);
      if (hours && serverMs !== undefined && !isInSession(hours, serverMs)) {
        untilMs = Math.min(untilMs, untilSessionMs(hours, serverMs));
        ticks.excuse(symbol);
        continue;
      }
      quoted++;
      if (now() - seenAtMs < staleAfterMs || this.#stale.has(symbol)) continue;
      this.#stale.add(symbol);
      fresh.push(symbol);
    }
    for (const symbol of this.#stale) if (!ticks.isFollowed(symbol)) this.#stale.delete(symbol);
    if (ticks.size > 0) this.state = quoted > 0 ? 'open' : 'closed';
    this.#opensAtMs = quoted > 0 || untilMs === Infinity ? null : now() + untilMs;
    return fresh;
  }

  stateChanged(): boolean {
    if (this.#told === this.state) return false;
    this.#told = this.state;
    return true;
  }

  event(): SourceEvent {
    return this.state === 'closed'
      ? { kind: 'system', event: 'market_closed', data: { opensAtMs: this.#opensAtMs } }
      : { kind: 'system', event: 'market_open', data: {} };
  }

  /** Symbols that a mask finds; their hours are kept. */
  async #specifications(mask: string): Promise<readonly string[]> {
    this.#clock = await this.#options.clock();
    const body = await this.#options.reads.read('symbol/get', [['mask', mask]]);
    const symbols: string[] = [];
    for (const wire of body ? payloadObjects(body) : []) {
      const symbol = new Fields(wire).text('Symbol');
      if (symbol === undefined) continue;
      symbols.push(symbol);
      const hours = sessionHours(wire, 'SessionsQuotes');
      if (hours) this.#hours.set(symbol, hours);
    }
    return symbols;
  }
}
