/** The trading account of a client as it stands at the prices of the moment. */
import type { Books } from './books.ts';
import { FREE_MARGIN, spreadDifference, type Group } from './groups.ts';
import { symbolMargin, type Exposure } from './margin.ts';
import { divideRound } from './money.ts';
import type { QuoteSource, Rates } from './rates.ts';
import type { Position, User } from './records.ts';
import type { SymbolSpec } from './symbols.ts';
import { convert, NEUTRAL_RATE, profitRaw } from './valuation.ts';

export interface AccountState {
  readonly balance: number;
  readonly credit: number;
  readonly profit: number;
  readonly storage: number;
  readonly floating: number;
  readonly equity: number;
  readonly margin: number;
  readonly marginFree: number;
  /** Per cent with two decimals; 0 without margin. */
  readonly marginLevel: number;
  readonly assets: number;
  readonly liabilities: number;
}

export class Accounts {
  readonly #books: Books;
  readonly #margins = new WeakMap<User, { readonly stamp: string; readonly margin: number }>();
  /** Replaced while the past is written. */
  market: QuoteSource;
  rates: Rates;

  constructor(books: Books, market: QuoteSource, rates: Rates) {
    this.#books = books;
    this.market = market;
    this.rates = rates;
  }

  /** Bid and ask that a group trades at. */
  price(group: Group, symbol: SymbolSpec): { bid: number; ask: number } | undefined {
    const quote = this.market(symbol.name);
    if (quote === undefined) return undefined;
    return { bid: quote.bid, ask: quote.ask + spreadDifference(group, symbol) };
  }

  /** The price a position would close at. */
  currentPrice(group: Group, position: Position): number {
    const price = this.price(group, this.#books.symbol(position.symbol));
    if (price === undefined) return position.priceOpen;
    return position.action === 0 ? price.bid : price.ask;
  }

  /** Profit currency to deposit currency: what a buyer receives is sold, what a seller owes is bought. */
  rateProfit(group: Group, symbol: SymbolSpec, action: number): number {
    return this.rates.rate(symbol.profitCurrency, group.currency, action === 0 ? 'sell' : 'buy') ?? NEUTRAL_RATE;
  }

  rateMargin(group: Group, symbol: SymbolSpec, action: number): number {
    return this.rates.rate(symbol.marginCurrency, group.currency, action === 0 ? 'buy' : 'sell') ?? NEUTRAL_RATE;
  }

  profit(group: Group, position: Position): number {
    const symbol = this.#books.symbol(position.symbol);
    const raw = profitRaw(
      symbol,
      position.action,
      position.volume,
      position.priceOpen,
      this.currentPrice(group, position),
    );
    return convert(raw, symbol.profitDigits, group.currencyDigits, this.rateProfit(group, symbol, position.action));
  }

  /** Margin follows from opening prices and rates, so it changes only when what the account holds does. */
  margin(user: User, group: Group): number {
    const stamp = `${this.#books.revision(user.login)} ${this.#books.configVersion} ${user.leverage} ${user.group}`;
    const known = this.#margins.get(user);
    if (known?.stamp === stamp) return known.margin;
    const margin = this.#marginWith(user, group);
    this.#margins.set(user, { stamp, margin });
    return margin;
  }

  #marginWith(
    user: User,
    group: Group,
    extra?: { readonly symbol: string; readonly exposures: readonly Exposure[] },
  ): number {
    const bySymbol = new Map<string, Exposure[]>();
    for (const position of this.#books.positions.of(user.login)) {
      const same = bySymbol.get(position.symbol);
      if (same === undefined) bySymbol.set(position.symbol, [position]);
      else same.push(position);
    }
    if (extra !== undefined) bySymbol.set(extra.symbol, [...extra.exposures]);
    let margin = 0;
    for (const [name, exposures] of bySymbol) {
      margin += symbolMargin(this.#books.symbol(name), group, user.leverage, exposures);
    }
    return margin;
  }

  state(user: User, change?: { readonly symbol: string; readonly exposures: readonly Exposure[] }): AccountState {
    const group = this.#books.groupOf(user);
    let profit = 0;
    let storage = 0;
    let gains = 0;
    let losses = 0;
    for (const position of this.#books.positions.of(user.login)) {
      const own = this.profit(group, position);
      profit += own;
      storage += position.storage;
      if (own >= 0) gains += own;
      else losses += own;
    }
    const margin = change === undefined ? this.margin(user, group) : this.#marginWith(user, group, change);
    const floating = profit + storage;
    const { balance, credit } = user;
    const equity = balance + credit + floating;
    return {
      balance,
      credit,
      profit,
      storage,
      floating,
      equity,
      margin,
      marginFree: balance + credit + counted(group, floating, gains, losses) - margin,
      marginLevel: margin === 0 ? 0 : Number(divideRound(BigInt(equity) * 10_000n, BigInt(margin))),
      assets: 0,
      liabilities: 0,
    };
  }
}

/** How much of the floating result counts as free margin: the group's MarginFreeMode. */
function counted(group: Group, floating: number, gains: number, losses: number): number {
  switch (group.freeMarginMode) {
    case FREE_MARGIN.notUsePl:
      return 0;
    case FREE_MARGIN.profit:
      return gains;
    case FREE_MARGIN.loss:
      return losses;
    default:
      return floating;
  }
}
