/** Profit and margin of a trade in money: integer arithmetic, rounded once per amount. */
import { power10, productRound, RATE_DIGITS, RATE_ONE, ratio, ratioRound, type Ratio } from './money.ts';
import type { Side } from './records.ts';
import { CALC_MODE, type SymbolSpec } from './symbols.ts';

/** 1e-8 lots, contract size with two decimals. */
const VOLUME_AND_CONTRACT_DIGITS = 10;

/** Profit in the smallest unit of the symbol's profit currency. */
export function profitRaw(
  symbol: SymbolSpec,
  side: Side,
  volume: number,
  priceOpen: number,
  priceClose: number,
): number {
  return ratioRound(side === 0 ? priceClose - priceOpen : priceOpen - priceClose, volume, pointValue(symbol));
}

const pointValues = new WeakMap<SymbolSpec, Ratio>();

/** Profit of one point of price and 1e-8 lot, in the smallest unit of the profit currency. */
function pointValue(symbol: SymbolSpec): Ratio {
  let value = pointValues.get(symbol);
  if (value === undefined) {
    // By tick: a tick's value (1e-8) for each tick size won. Else: the contract size.
    value = byTick(symbol)
      ? ratio(BigInt(symbol.tickValue), power10(16 - symbol.profitDigits) * BigInt(symbol.tickSize))
      : ratio(BigInt(symbol.contractSize), power10(symbol.digits + VOLUME_AND_CONTRACT_DIGITS - symbol.profitDigits));
    pointValues.set(symbol, value);
  }
  return value;
}

function byTick(symbol: SymbolSpec): boolean {
  return (
    (symbol.calcMode === CALC_MODE.futures || symbol.calcMode === CALC_MODE.cfdIndex) &&
    symbol.tickSize > 0 &&
    symbol.tickValue > 0
  );
}

/** An amount of one currency in another: digits of both, rate in 1e-8. */
export function convert(amount: number, fromDigits: number, toDigits: number, rate: number): number {
  if (rate === RATE_ONE && fromDigits === toDigits) return amount;
  const shift = RATE_DIGITS + fromDigits - toDigits;
  return shift >= 0
    ? ratioRound(amount, rate, { numerator: 1, denominator: Number(power10(shift)) })
    : Number(BigInt(amount) * BigInt(rate) * power10(-shift));
}

/** Value of a deal (volume × contract × price) in the smallest unit of the profit currency. */
export function notional(symbol: SymbolSpec, volume: number, price: number): number {
  return profitRaw(symbol, 0, volume, 0, price);
}

interface MarginInput {
  readonly symbol: SymbolSpec;
  readonly side: Side;
  readonly volume: number;
  readonly price: number;
  readonly leverage: number;
  /** Margin currency to deposit currency, 1e-8. */
  readonly rate: number;
  /** Two decimals; the symbol's own, or that for hedged volume. */
  readonly contractSize?: number;
}

/** Margin in the smallest unit of the deposit currency, by the symbol's calculation mode. */
export function marginOf(input: MarginInput, currencyDigits: number): number {
  const { symbol, volume, price, rate } = input;
  const contractSize = input.contractSize ?? symbol.contractSize;
  const leverage = Math.max(1, input.leverage);
  const marginRate = input.side === 0 ? symbol.marginRateBuy : symbol.marginRateSell;
  // Every mode: volume (1e-8) × margin rate (1e-8) × conversion (1e-8) × what one lot is worth.
  const scale = 24 - currencyDigits;
  const base = [volume, marginRate, rate];
  if (symbol.marginInitial > 0) {
    const perLot = contractSize === symbol.contractSize ? symbol.marginInitial : 0;
    return productRound([...base, perLot], scale + 2);
  }
  switch (symbol.calcMode) {
    case CALC_MODE.forex:
      return productRound([...base, contractSize], scale + 2, leverage);
    case CALC_MODE.cfd:
      return productRound([...base, contractSize, price], scale + 2 + symbol.digits);
    case CALC_MODE.cfdLeverage:
      return productRound([...base, contractSize, price], scale + 2 + symbol.digits, leverage);
    case CALC_MODE.cfdIndex:
      return byTick(symbol)
        ? productRound([...base, price, symbol.tickValue], scale + RATE_DIGITS, symbol.tickSize)
        : productRound([...base, contractSize, price], scale + 2 + symbol.digits);
    default:
      return productRound([...base, contractSize], scale + 2);
  }
}

export const NEUTRAL_RATE = RATE_ONE;
