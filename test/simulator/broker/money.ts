/**
 * Exact arithmetic. Money is an integer in the currency's smallest unit, a price an integer in the symbol's points, a
 * volume an integer in 1e-8 lots (`VolumeExt`), a conversion rate an integer in 1e-8. Products go through bigint and
 * are rounded once, half away from zero; no amount ever passes through a float.
 */

/** Volume units in one lot: `VolumeExt` counts 1/100,000,000 lot, `Volume` 1/10,000 lot. */
export const EXT_PER_LOT = 100_000_000;
export const EXT_PER_VOLUME = 10_000;
/** Scale of conversion rates: what `RateProfit` and `RateMargin` show on the wire. */
export const RATE_DIGITS = 8;
export const RATE_ONE = 100_000_000;
/** Contract sizes carry two decimals. */
export const CONTRACT_DIGITS = 2;

const POWERS: readonly bigint[] = Array.from({ length: 40 }, (_, index) => 10n ** BigInt(index));

export function power10(exponent: number): bigint {
  const power = POWERS[exponent];
  if (power === undefined) throw new RangeError(`no power of ten ${exponent}`);
  return power;
}

/** numerator / denominator, rounded half away from zero. */
export function divideRound(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n !== denominator < 0n;
  const n = numerator < 0n ? -numerator : numerator;
  const d = denominator < 0n ? -denominator : denominator;
  const quotient = (n + d / 2n) / d;
  return negative ? -quotient : quotient;
}

/** The product of integers over 10^scale × divisor, rounded half away from zero. */
export function productRound(factors: readonly number[], scaleDigits: number, divisor = 1): number {
  let product = 1n;
  for (const factor of factors) product *= BigInt(factor);
  return Number(divideRound(product, power10(scaleDigits) * BigInt(divisor)));
}

/**
 * a × b × numerator / denominator, rounded half away from zero. Where the product fits 53 bits, doubles are exact
 * integers and much quicker than bigint; this is the arithmetic of every floating profit.
 */
export function ratioRound(a: number, b: number, { numerator, denominator }: Ratio): number {
  const product = a * b * numerator;
  if (!Number.isSafeInteger(product)) {
    return Number(divideRound(BigInt(a) * BigInt(b) * BigInt(numerator), BigInt(denominator)));
  }
  const size = Math.abs(product);
  let quotient = Math.floor(size / denominator);
  let rest = size - quotient * denominator;
  // The division of doubles may be off by one; the remainder is exact and tells.
  if (rest < 0) {
    quotient -= 1;
    rest += denominator;
  } else if (rest >= denominator) {
    quotient += 1;
    rest -= denominator;
  }
  if (rest >= denominator - rest) quotient += 1;
  return product < 0 && quotient !== 0 ? -quotient : quotient;
}

/** A fraction of safe integers in lowest terms. */
export interface Ratio {
  readonly numerator: number;
  readonly denominator: number;
}

export function ratio(numerator: bigint, denominator: bigint): Ratio {
  let [a, b] = [numerator, denominator];
  while (b !== 0n) [a, b] = [b, a % b];
  const result = { numerator: Number(numerator / a), denominator: Number(denominator / a) };
  if (!Number.isSafeInteger(result.numerator) || !Number.isSafeInteger(result.denominator)) {
    throw new RangeError(`${numerator}/${denominator} does not fit`);
  }
  return result;
}

/** part × whole-weighted share: value × part / whole, rounded. */
export function share(value: number, part: number, whole: number): number {
  return Number(divideRound(BigInt(value) * BigInt(part), BigInt(whole)));
}

/** The average of two integers weighted by volumes, rounded. */
export function weightedAverage(a: number, aWeight: number, b: number, bWeight: number): number {
  return Number(
    divideRound(BigInt(a) * BigInt(aWeight) + BigInt(b) * BigInt(bWeight), BigInt(aWeight) + BigInt(bWeight)),
  );
}

/** 1234567 with 5 digits → "12.34567". */
export function decimal(value: number, digits: number): string {
  if (digits === 0) return String(value);
  const text = String(Math.abs(value)).padStart(digits + 1, '0');
  const point = text.length - digits;
  return `${value < 0 ? '-' : ''}${text.slice(0, point)}.${text.slice(point)}`;
}

const DECIMAL = /^([+-]?)(\d{0,18})(?:\.(\d*))?$/u;

/**
 * "12.34567" with 5 digits → 1234567; decimals beyond `digits` are rounded half away from zero.
 * Undefined for what is no decimal number or does not fit a safe integer.
 */
export function parseDecimal(text: string, digits: number): number | undefined {
  const match = DECIMAL.exec(text.trim());
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  const kept = fraction.slice(0, digits).padEnd(digits, '0');
  let value = BigInt(`${whole}${kept}` || '0');
  if ((fraction.codePointAt(digits) ?? 0) >= 53) value += 1n;
  const result = Number(sign === '-' ? -value : value);
  return Number.isSafeInteger(result) ? result + 0 : undefined;
}

/** The integer at one scale expressed at another, rounded. */
export function rescale(value: number, fromDigits: number, toDigits: number): number {
  if (toDigits >= fromDigits) return value * Number(power10(toDigits - fromDigits));
  return Number(divideRound(BigInt(value), power10(fromDigits - toDigits)));
}
