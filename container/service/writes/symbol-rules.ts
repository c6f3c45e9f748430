import { BridgeError } from '../../contract/errors.ts';
import { EXPIRATION_FLAGS, FILLING_FLAGS, ORDER_FLAGS } from '../../contract/schemas/enums.ts';
import { formatScaled, scaledDecimal } from '../../webapi/decimal.ts';
import { Fields, type WireObject } from '../../webapi/fields.ts';
import { sessionHours, type SessionHours } from '../broker/session-hours.ts';

/** Volumes are counted in 1/100 000 000 lot, the finer of MT5's two scales. */
const LOT_PLACES = 8;
/** `Volume` is counted in 1/10 000 lot: this many of the finer units. */
const COARSE_UNITS = 10_000n;

export type OrderKind = 'market' | 'limit' | 'stop' | 'stop_limit';
export type Filling = 'fok' | 'ioc' | 'return';
export type TimeInForce = 'gtc' | 'day' | 'gtd' | 'gtd_day';
export type Side = 'buy' | 'sell';

/** What a symbol allows an account's group to do; flags that the server does not tell allow everything. */
export interface SymbolRules {
  readonly symbol: string;
  readonly digits: number;
  readonly tradeMode: number;
  readonly executionMode: number;
  readonly fillFlags: number | undefined;
  readonly expirationFlags: number | undefined;
  readonly orderFlags: number | undefined;
  /** In 1/100 000 000 lot; 0 = not told. */
  readonly volumeMin: bigint;
  readonly volumeMax: bigint;
  readonly volumeStep: bigint;
  /** Age after which a tick is no price; 0 = not told. */
  readonly quotesTimeoutMs: number;
  /** `undefined` where the server tells none. */
  readonly tradingHours: SessionHours | undefined;
  /** The build knows `VolumeExt`. */
  readonly fineVolumes: boolean;
}

export function symbolRules(object: WireObject): SymbolRules {
  const fields = new Fields(object);
  const volume = (name: string): bigint => {
    const fine = fields.text(`${name}Ext`);
    const coarse = fields.text(name);
    if (fine !== undefined && /^[1-9]\d{0,19}$/.test(fine)) return BigInt(fine);
    return coarse !== undefined && /^\d{1,19}$/.test(coarse) ? BigInt(coarse) * COARSE_UNITS : 0n;
  };
  return {
    symbol: fields.text('Symbol') ?? '',
    digits: fields.integer('Digits') ?? 8,
    tradeMode: fields.integer('TradeMode') ?? 4,
    executionMode: fields.integer('ExecMode') ?? 0,
    fillFlags: fields.integer('FillFlags'),
    expirationFlags: fields.integer('ExpirFlags'),
    orderFlags: fields.integer('OrderFlags'),
    volumeMin: volume('VolumeMin'),
    volumeMax: volume('VolumeMax'),
    volumeStep: volume('VolumeStep'),
    quotesTimeoutMs: (fields.integer('QuotesTimeout') ?? 0) * 1000,
    tradingHours: sessionHours(object, 'SessionsTrades'),
    fineVolumes: fields.text('VolumeMinExt') !== undefined,
  };
}

const invalid = (field: string, expected: string, detail: string): BridgeError =>
  new BridgeError('invalid_field', { detail, field, expected });

const bitOf = (table: Readonly<Record<number, string>>, name: string): number =>
  Number(Object.entries(table).find(([, known]) => known === name)?.[0] ?? 0);
const allows = (flags: number | undefined, table: Readonly<Record<number, string>>, name: string): boolean =>
  flags === undefined || (flags & bitOf(table, name)) !== 0;
const allowedNames = (flags: number | undefined, table: Readonly<Record<number, string>>): string =>
  Object.entries(table)
    .filter(([bit]) => flags === undefined || (flags & Number(bit)) !== 0)
    .map(([, name]) => name)
    .join(', ') || 'none';

/** Lots as units of 1/100 000 000, exactly. @throws BridgeError `invalid_field` */
export function exactVolume(rules: SymbolRules, lots: string): bigint {
  const units = scaledDecimal(lots, LOT_PLACES);
  if (units === undefined || units <= 0n)
    throw invalid('volume', 'lots above 0 with at most 8 places', `volume: ${lots} is not a volume.`);
  const show = (value: bigint): string => formatScaled(value, LOT_PLACES, 2);
  if (rules.volumeMin > 0n && units < rules.volumeMin)
    throw invalid('volume', `at least ${show(rules.volumeMin)}`, `volume: ${lots} lots are below the minimum.`);
  if (rules.volumeMax > 0n && units > rules.volumeMax)
    throw invalid('volume', `at most ${show(rules.volumeMax)}`, `volume: ${lots} lots are above the maximum.`);
  if (rules.volumeStep > 0n && units % rules.volumeStep !== 0n)
    throw invalid('volume', `a multiple of ${show(rules.volumeStep)}`, `volume: ${lots} lots are not whole steps.`);
  if (!rules.fineVolumes && units % COARSE_UNITS !== 0n)
    throw invalid('volume', 'at most 4 places', `volume: this server counts in 1/10 000 lot; ${lots} is finer.`);
  return units;
}

/** Both volume fields of a request. */
export const volumeFields = (units: bigint): { Volume: string; VolumeExt: string } => ({
  Volume: (units / COARSE_UNITS).toString(),
  VolumeExt: units.toString(),
});

/** A price as the server takes it: the caller's own digits, never rounded. @throws BridgeError `invalid_field` */
export function exactPrice(rules: SymbolRules, field: string, price: string): string {
  const scaled = scaledDecimal(price, rules.digits);
  if (scaled === undefined || scaled < 0n)
    throw invalid(
      field,
      `at most ${rules.digits} digits after the point`,
      `${field}: ${price} is no price of the symbol.`,
    );
  return formatScaled(scaled, rules.digits, rules.digits);
}

/** A level where `null` and 0 mean none. */
export const exactLevel = (rules: SymbolRules, field: string, price: string | null): string =>
  price === null ? formatScaled(0n, rules.digits, rules.digits) : exactPrice(rules, field, price);

/** @throws BridgeError `invalid_field` where the symbol does not allow opening on that side */
export function requireOpening(rules: SymbolRules, side: Side, kind: OrderKind): void {
  const refusal: Readonly<Record<number, string | undefined>> = {
    0: 'is not traded',
    1: side === 'sell' ? 'may only be bought' : undefined,
    2: side === 'buy' ? 'may only be sold' : undefined,
    3: 'may only be closed',
  };
  const reason = refusal[rules.tradeMode];
  if (reason !== undefined) throw invalid('symbol', 'a symbol that may be traded so', `${rules.symbol} ${reason}.`);
  if (!allows(rules.orderFlags, ORDER_FLAGS, kind))
    throw invalid(
      'type',
      `one of ${allowedNames(rules.orderFlags, ORDER_FLAGS)}`,
      `${rules.symbol}: no ${kind} orders.`,
    );
}

/** @throws BridgeError `invalid_field` where the symbol takes no such level */
export function requireLevels(rules: SymbolRules, levels: { stopLoss?: unknown; takeProfit?: unknown }): void {
  if (levels.stopLoss !== undefined && levels.stopLoss !== null && !allows(rules.orderFlags, ORDER_FLAGS, 'sl'))
    throw invalid('stopLoss', 'no stop loss', `${rules.symbol} takes no stop loss.`);
  if (levels.takeProfit !== undefined && levels.takeProfit !== null && !allows(rules.orderFlags, ORDER_FLAGS, 'tp'))
    throw invalid('takeProfit', 'no take profit', `${rules.symbol} takes no take profit.`);
}

/** EXECUTION_MARKET: a market order there cannot leave a rest on the books. */
const EXECUTION_MARKET = 2;
const FILLING_CODE: Readonly<Record<Filling, string>> = { fok: '0', ioc: '1', return: '2' };

/** `TypeFill`: as asked, or the usual one. @throws BridgeError `invalid_field` where the symbol does not allow it */
export function fillingCode(rules: SymbolRules, kind: OrderKind, wanted: Filling | undefined): string {
  const pending = kind !== 'market';
  const returnAllowed = pending || rules.executionMode !== EXECUTION_MARKET;
  const allowed = (['fok', 'ioc', 'return'] as const).filter((filling) =>
    filling === 'return' ? returnAllowed : allows(rules.fillFlags, FILLING_FLAGS, filling),
  );
  const usual = pending ? 'return' : (allowed[0] ?? 'fok');
  const chosen = wanted ?? usual;
  if (wanted !== undefined && !allowed.includes(wanted))
    throw invalid(
      'filling',
      `one of ${allowed.join(', ')}`,
      `${rules.symbol} does not fill ${wanted} for ${kind} orders.`,
    );
  return FILLING_CODE[chosen];
}

const TIME_CODE: Readonly<Record<TimeInForce, string>> = { gtc: '0', day: '1', gtd: '2', gtd_day: '3' };

/** `TypeTime`. @throws BridgeError `invalid_field` where the symbol does not allow it */
export function timeCode(rules: SymbolRules, wanted: TimeInForce): string {
  if (!allows(rules.expirationFlags, EXPIRATION_FLAGS, wanted))
    throw invalid(
      'timeInForce',
      `one of ${allowedNames(rules.expirationFlags, EXPIRATION_FLAGS)}`,
      `${rules.symbol} takes no ${wanted} orders.`,
    );
  return TIME_CODE[wanted];
}

const TYPE_CODE: Readonly<Record<OrderKind, Readonly<Record<Side, string>>>> = {
  market: { buy: '0', sell: '1' },
  limit: { buy: '2', sell: '3' },
  stop: { buy: '4', sell: '5' },
  stop_limit: { buy: '6', sell: '7' },
};
export const typeCode = (kind: OrderKind, side: Side): string => TYPE_CODE[kind][side];

/**
 * Stop loss and take profit lie on the right sides of a pending order's price. For a market order the price is the
 * server's to know.
 * @throws BridgeError `invalid_field`
 */
export function requireSides(
  side: Side,
  price: string,
  levels: { stopLoss?: string | null | undefined; takeProfit?: string | null | undefined },
): void {
  const at = scaledDecimal(price, 20);
  const check = (field: 'stopLoss' | 'takeProfit', below: boolean): void => {
    const level = scaledDecimal(levels[field] ?? '0', 20);
    if (at === undefined || level === undefined || level === 0n) return;
    if (below ? level < at : level > at) return;
    throw invalid(field, `a price ${below ? 'below' : 'above'} ${price}`, `${field}: the wrong side of the price.`);
  };
  check('stopLoss', side === 'buy');
  check('takeProfit', side === 'sell');
}
