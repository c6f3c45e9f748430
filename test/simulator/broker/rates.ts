/** Conversion between currencies at the quotes of the moment, in 1e-8. */
import { divideRound, power10, RATE_DIGITS, RATE_ONE } from './money.ts';

/** `buy`: one pays the ask; `sell`: one receives the bid. */
export type RateSide = 'buy' | 'sell';

/** Where quotes come from: the feed, or the price path of a past moment. */
export type QuoteSource = (
  symbol: string,
) => { readonly symbol: { readonly digits: number }; readonly bid: number; readonly ask: number } | undefined;

export class Rates {
  readonly #quote: QuoteSource;
  readonly #moment: (() => number) | undefined;
  readonly #known = new Map<string, number | undefined>();
  #knownAt = -1;

  /** @param moment changes with every quote: until then a rate is worked out once */
  constructor(quote: QuoteSource, moment?: () => number) {
    this.#quote = quote;
    this.#moment = moment;
  }

  /** Units of `to` for one unit of `from`; undefined where no chain of pairs joins them. */
  rate(from: string, to: string, side: RateSide): number | undefined {
    if (from === to) return RATE_ONE;
    if (this.#moment === undefined) return this.#rate(from, to, side);
    const moment = this.#moment();
    if (moment !== this.#knownAt) this.#known.clear();
    this.#knownAt = moment;
    const key = `${from}${to}${side}`;
    let rate = this.#known.get(key);
    if (rate === undefined) this.#known.set(key, (rate = this.#rate(from, to, side)));
    return rate;
  }

  #rate(from: string, to: string, side: RateSide): number | undefined {
    const direct = this.#pair(from, to, side);
    if (direct !== undefined) return direct;
    const first = this.#pair(from, 'USD', side);
    const second = this.#pair('USD', to, side);
    if (first === undefined || second === undefined) return undefined;
    return Number(divideRound(BigInt(first) * BigInt(second), BigInt(RATE_ONE)));
  }

  #pair(from: string, to: string, side: RateSide): number | undefined {
    const direct = this.#quote(from + to);
    if (direct !== undefined) {
      const price = side === 'buy' ? direct.ask : direct.bid;
      return Number(BigInt(price) * power10(RATE_DIGITS - direct.symbol.digits));
    }
    const inverse = this.#quote(to + from);
    if (inverse === undefined) return undefined;
    // To buy `from` with `to` in the pair TOFROM is to sell TO: the bid.
    const price = side === 'buy' ? inverse.bid : inverse.ask;
    return Number(divideRound(power10(RATE_DIGITS + inverse.symbol.digits), BigInt(price)));
  }
}
