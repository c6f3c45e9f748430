import type { BridgeClient, Schemas } from '../client/index.ts';

/** Live quotes, by the bridge's own stream. */

export interface QuoteRow extends Pick<Schemas['Quote'], 'symbol' | 'bid' | 'ask' | 'quotedAtMs'> {
  /** Against the bid before. */
  readonly move: 'up' | 'down' | 'same';
  readonly isStale: boolean;
  /** Middle of bid and ask, oldest first: epoch seconds and price, for the eye only. */
  readonly history: { readonly seconds: readonly number[]; readonly prices: readonly number[] };
}

export interface QuotesView {
  readonly state: 'off' | 'connecting' | 'live' | 'lost';
  readonly symbols: readonly string[];
  readonly rows: readonly QuoteRow[];
  /** Of the row that is drawn. */
  readonly chosen: string | undefined;
  /** Why the stream is not there. */
  readonly fault: string | undefined;
  /** Times that something may be missing. */
  readonly gaps: number;
}

export const NO_QUOTES: QuotesView = {
  state: 'off',
  symbols: [],
  rows: [],
  chosen: undefined,
  fault: undefined,
  gaps: 0,
};

const KEPT_POINTS = 600;

export interface QuotesOptions {
  readonly client: BridgeClient;
  readonly symbols: readonly string[];
  readonly onView: (view: QuotesView) => void;
  /** The bridge said something of its session. */
  readonly onSystem: () => void;
}

/** Follows symbols until it is stopped. */
export class Quotes {
  readonly #options: QuotesOptions;
  readonly #stop = new AbortController();
  readonly #rows = new Map<string, QuoteRow>();
  #view: QuotesView;

  constructor(options: QuotesOptions) {
    this.#options = options;
    this.#view = { ...NO_QUOTES, state: 'connecting', symbols: options.symbols };
    void this.#follow();
  }

  stop(): void {
    this.#stop.abort();
  }

  choose(symbol: string): void {
    this.#show({ chosen: symbol });
  }

  async #follow(): Promise<void> {
    const { client, symbols, onSystem } = this.#options;
    const { signal } = this.#stop;
    const onConnection = (state: 'open' | 'lost', detail: string): void =>
      this.#show(state === 'open' ? { state: 'live', fault: undefined } : { state: 'lost', fault: detail });
    try {
      for await (const event of client.stream('ticks', { symbols }, { signal, onConnection })) {
        if (event.type === 'system') onSystem();
        else if (event.type === 'gap') this.#show({ gaps: this.#view.gaps + 1 });
        else if (event.type === 'snapshot' || event.type === 'delta') this.#take(event.data, event.type);
        else if (event.type === 'stale' || event.type === 'live')
          this.#mark(event.data.symbols, event.type === 'stale');
      }
    } catch (error) {
      this.#show({ state: 'lost', fault: error instanceof Error ? error.message : String(error) });
    }
  }

  /** A snapshot replaces what was known: what is stale in it is told after it. */
  #take(quotes: readonly Omit<Schemas['Quote'], 'extra'>[], type: 'snapshot' | 'delta'): void {
    for (const { symbol, bid, ask, quotedAtMs } of quotes) {
      const before = this.#rows.get(symbol);
      const moved = Math.sign(Number(bid) - Number(before?.bid ?? bid));
      this.#rows.set(symbol, {
        symbol,
        bid,
        ask,
        quotedAtMs,
        move: moved > 0 ? 'up' : moved < 0 ? 'down' : (before?.move ?? 'same'),
        isStale: type === 'delta' && (before?.isStale ?? false),
        history: extended(before?.history, bid, ask),
      });
    }
    this.#show({});
  }

  #mark(symbols: readonly string[], isStale: boolean): void {
    for (const symbol of symbols) {
      const row = this.#rows.get(symbol);
      if (row) this.#rows.set(symbol, { ...row, isStale });
    }
    this.#show({});
  }

  #show(change: Partial<QuotesView>): void {
    if (this.#stop.signal.aborted) return;
    const rows = [...this.#rows.values()].sort((a, b) => a.symbol.localeCompare(b.symbol));
    const chosen = change.chosen ?? this.#view.chosen ?? rows[0]?.symbol;
    this.#view = { ...this.#view, ...change, rows, chosen };
    this.#options.onView(this.#view);
  }
}

function extended(
  history: QuoteRow['history'] | undefined,
  bid: string | null,
  ask: string | null,
): QuoteRow['history'] {
  const { seconds, prices } = history ?? { seconds: [], prices: [] };
  if (bid === null || ask === null) return { seconds, prices };
  const at = Date.now() / 1000;
  return {
    seconds: [...seconds, at].slice(-KEPT_POINTS),
    prices: [...prices, (Number(bid) + Number(ask)) / 2].slice(-KEPT_POINTS),
  };
}
