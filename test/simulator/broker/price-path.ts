/**
 * Where prices are at any moment: a seeded random walk with random access. Each asset's value in US dollars is a sum
 * of noise octaves whose amplitude grows with the square root of their period, as a walk's does; a pair is the quotient
 * of two values, so that crosses agree with majors. The same seed gives the same price at the same moment whichever
 * way it is reached: bars of last year, ticks of today and a clock set forward all lie on one path.
 */
import { hash32, hashText } from './random.ts';
import type { SymbolSpec } from './symbols.ts';

/** Starting value in US dollars (indices: in their own currency), and volatility of a day as a fraction. */
const ASSETS: Readonly<Record<string, readonly [value: number, dayVolatility: number]>> = {
  USD: [1, 0],
  EUR: [1.165, 0.0035],
  GBP: [1.345, 0.004],
  AUD: [0.655, 0.0045],
  NZD: [0.585, 0.0045],
  JPY: [1 / 150, 0.0042],
  CHF: [1 / 0.8, 0.0035],
  CAD: [1 / 1.385, 0.003],
  CNH: [1 / 7.13, 0.0015],
  SEK: [1 / 9.45, 0.0045],
  XAU: [3950, 0.008],
  XAG: [48.5, 0.014],
  BTC: [96_000, 0.022],
  ETH: [3450, 0.028],
  LTC: [94, 0.03],
  XRP: [2.35, 0.032],
  US500: [6720, 0.008],
  US30: [46_400, 0.007],
  USTEC: [24_900, 0.011],
  DE40: [24_100, 0.008],
  UK100: [9520, 0.006],
  JP225: [48_300, 0.01],
  UKOIL: [64.2, 0.016],
};

const DAY_SECONDS = 86_400;
/** One second to 194 days in steps of four. */
const PERIODS_MS: readonly number[] = Array.from({ length: 13 }, (_, octave) => 1000 * 4 ** octave);

/** Noise in [-1, 1] that is smooth between seeded values at whole numbers. */
function noise(seed: number, position: number): number {
  const cell = Math.floor(position);
  const part = position - cell;
  const left = hash32(seed, cell) / 2_147_483_648 - 1;
  const right = hash32(seed, cell + 1) / 2_147_483_648 - 1;
  return left + (right - left) * part * part * (3 - 2 * part);
}

export class PricePath {
  readonly #seed: number;
  readonly #assetSeeds = new Map<string, number>();
  /** The sum of the slow octaves changes little in a second: kept for the second it was asked for. */
  readonly #slow = new Map<string, { second: number; sum: number }>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Value of an asset at a server time. */
  #value(asset: string, serverMs: number): number {
    const known = ASSETS[asset];
    const [base, volatility] = known ?? [20 + (hashText(asset, 7) % 480), 0.01];
    if (volatility === 0) return base;
    let seed = this.#assetSeeds.get(asset);
    if (seed === undefined) {
      seed = hashText(asset, this.#seed);
      this.#assetSeeds.set(asset, seed);
    }
    const second = Math.floor(serverMs / 1000);
    let slow = this.#slow.get(asset);
    if (slow === undefined || slow.second !== second) {
      let sum = 0;
      for (let octave = 2; octave < PERIODS_MS.length; octave += 1) sum += octaveAt(seed, octave, second * 1000);
      slow = { second, sum };
      this.#slow.set(asset, slow);
    }
    const fast = octaveAt(seed, 0, serverMs) + octaveAt(seed, 1, serverMs);
    return base * Math.exp(volatility * (slow.sum + fast));
  }

  /** Middle price in points. */
  middle(symbol: SymbolSpec, serverMs: number): number {
    const single = ASSETS[symbol.name] !== undefined || symbol.baseCurrency === symbol.profitCurrency;
    const price = single
      ? this.#value(symbol.name, serverMs)
      : this.#value(symbol.baseCurrency, serverMs) / this.#value(symbol.profitCurrency, serverMs);
    return Math.max(1, Math.round(price * 10 ** symbol.digits));
  }

  /** Spread in points at a moment: the symbol's, up to a third wider, changing every four seconds. */
  spread(symbol: SymbolSpec, serverMs: number): number {
    const variation = hash32(hashText(symbol.name, this.#seed), Math.floor(serverMs / 4000));
    return symbol.spread + (variation % (Math.floor(symbol.spread / 3) + 1));
  }

  quote(symbol: SymbolSpec, serverMs: number, jitter = 0): { bid: number; ask: number } {
    const spread = this.spread(symbol, serverMs);
    const bid = Math.max(1, this.middle(symbol, serverMs) - Math.floor(spread / 2) + jitter);
    return { bid, ask: bid + spread };
  }
}

function octaveAt(seed: number, octave: number, serverMs: number): number {
  const periodMs = PERIODS_MS[octave] ?? 1000;
  // Two thirds of the walk's standard deviation over the period: value noise moves by up to twice its amplitude.
  return 0.66 * Math.sqrt(periodMs / 1000 / DAY_SECONDS) * noise(seed + octave, serverMs / periodMs);
}
