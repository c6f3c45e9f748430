/**
 * Decimals as text. MT5 prints money, prices and rates as decimal strings; they are kept as such and, where arithmetic is
 * needed, taken apart into bigints. Nothing here passes through a float.
 */
const DECIMAL = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;

/** Longest digits that a decimal may have: far more than any price, and small enough that bigints stay cheap. */
const MAX_DIGITS = 60;

interface Parts {
  readonly negative: boolean;
  /** Digits before and after the point. */
  readonly whole: string;
  readonly fraction: string;
}

function parse(text: string): Parts | undefined {
  if (text.length > MAX_DIGITS) return undefined;
  const match = DECIMAL.exec(text);
  if (!match) return undefined;
  const [, sign, whole = '', fraction = '', exponentText] = match;
  const exponent = Number(exponentText ?? 0);
  if (Math.abs(exponent) > MAX_DIGITS) return undefined;
  const digits = whole + fraction;
  const point = whole.length + exponent;
  const padded = point < 0 ? digits.padStart(digits.length - point, '0') : digits.padEnd(point, '0');
  const at = Math.max(0, point);
  return { negative: sign === '-', whole: padded.slice(0, at) || '0', fraction: padded.slice(at) };
}

/** What needs no change: as nearly every number comes. */
const PLAIN = /^-?(?:0|[1-9]\d{0,29})(?:\.\d{1,29})?$/;

/**
 * The decimal in plain notation: no plus sign, no exponent, no leading zeros; trailing zeros stay, since they tell the
 * broker's precision. `undefined` for what is not a decimal. Exactly the broker's text wherever that was plain already.
 */
export function plainDecimal(text: string): string | undefined {
  if (PLAIN.test(text) && (!text.startsWith('-') || /[1-9]/.test(text))) return text;
  const parts = parse(text);
  if (!parts) return undefined;
  const whole = parts.whole.replace(/^0+(?=\d)/, '');
  const body = parts.fraction === '' ? whole : `${whole}.${parts.fraction}`;
  return parts.negative && /[1-9]/.test(body) ? `-${body}` : body;
}

/** The decimal × 10^places as an integer; `undefined` where that is not whole or the text is no decimal. */
export function scaledDecimal(text: string, places: number): bigint | undefined {
  const parts = parse(text);
  if (!parts) return undefined;
  const kept = parts.fraction.slice(0, places).padEnd(places, '0');
  if (/[1-9]/.test(parts.fraction.slice(places))) return undefined;
  const value = BigInt(parts.whole + kept);
  return parts.negative ? -value : value;
}

/** `value` / 10^places as text with at least `minPlaces` digits after the point. */
export function formatScaled(value: bigint, places: number, minPlaces: number): string {
  const negative = value < 0n;
  const digits = (negative ? -value : value).toString().padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  const fraction = digits
    .slice(digits.length - places)
    .replace(/0+$/, '')
    .padEnd(minPlaces, '0');
  const body = fraction === '' ? whole : `${whole}.${fraction}`;
  return negative && value !== 0n ? `-${body}` : body;
}

const SHORT_INTEGER = /^\d{1,14}$/;

/** The sum of two decimals, with the larger number of places. Both must be decimals. */
export function addDecimals(a: string, b: string): string {
  // Counts of minutes by the hundred thousand: whole numbers that a float holds exactly.
  if (SHORT_INTEGER.test(a) && SHORT_INTEGER.test(b)) return String(Number(a) + Number(b));
  const places = Math.max(fractionLength(a), fractionLength(b));
  return formatScaled((scaledDecimal(a, places) ?? 0n) + (scaledDecimal(b, places) ?? 0n), places, places);
}

const fractionLength = (text: string): number => parse(text)?.fraction.length ?? 0;
