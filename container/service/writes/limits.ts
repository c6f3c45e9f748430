import { BridgeError } from '../../contract/errors.ts';
import type { Caller } from '../../contract/keys.ts';
import type { BeginRequest, ReservedLimits, ReservedTrade } from '../../state/state-api.ts';
import { scaledDecimal } from '../../webapi/decimal.ts';
import { Fields, wireInteger, type WireObject } from '../../webapi/fields.ts';
import { volumeUnits } from '../../webapi/volume.ts';
import type { ReadContext } from '../broker/broker.ts';
import type { TradeBooks } from './books.ts';
import type { Side } from './symbol-rules.ts';

/**
 * Limits that an administrator gave the key. What one request shows is refused here; what many requests share is counted
 * by the ledger, in the transaction that writes the row (`state/reservations.ts`).
 */

/** What an operation takes of the key's limits, with what the broker's books held from `readAtMs` on. */
export interface Reservation {
  readonly symbol?: string;
  /** The account's group. */
  readonly group?: string;
  readonly trade?: ReservedTrade;
  /** In 1/100 000 000. */
  readonly amount?: string;
  readonly limits?: Omit<ReservedLimits, 'readForMs' | 'ordersPerMinute' | 'maxAmountPerDay'>;
  readonly readAtMs?: number;
}

type Reserved = Pick<BeginRequest, 'symbol' | 'group' | 'trade' | 'amount' | 'limits'>;

/** The same as the ledger takes it. */
export function reservedOf(
  mutation: { readonly trading: boolean; readonly reserve?: Reservation },
  { limits: own }: Caller,
  nowMs: number,
): Reserved {
  const { readAtMs = nowMs, limits, ...reserved } = mutation.reserve ?? {};
  if (!own) return reserved;
  return {
    ...reserved,
    limits: {
      ...limits,
      ...(mutation.trading && own.ordersPerMinute !== undefined ? { ordersPerMinute: own.ordersPerMinute } : {}),
      ...(own.maxAmountPerDay === undefined ? {} : { maxAmountPerDay: unitsOf(own.maxAmountPerDay) }),
      readForMs: Math.max(0, nowMs - readAtMs),
    },
  };
}

/** 1/100 000 000 of a decimal that a schema has checked. */
const unitsOf = (text: string): string => String(scaledDecimal(text, 8) ?? 0n);

const refuse = (detail: string, field: string, expected: string): never => {
  throw new BridgeError('limit_exceeded', { detail, field, expected });
};

/** @throws BridgeError `limit_exceeded` */
export function requireSymbol({ limits }: Caller, symbol: string): void {
  if (!limits?.symbols || limits.symbols.includes(symbol)) return;
  refuse(`The key may trade ${limits.symbols.join(', ')} only.`, 'symbol', limits.symbols.join(', '));
}

/** @throws BridgeError `limit_exceeded` */
export function requireVolume({ limits }: Caller, volumeLots: string): void {
  if (limits?.maxVolumeLots === undefined) return;
  const most = scaledDecimal(limits.maxVolumeLots, 8);
  const asked = scaledDecimal(volumeLots, 8);
  if (most !== undefined && asked !== undefined && asked <= most) return;
  const { maxVolumeLots } = limits;
  refuse(`The key may trade at most ${maxVolumeLots} lots per order.`, 'volume', `at most ${maxVolumeLots}`);
}

/** An order that waits may fill when nothing is left to be reduced. @throws BridgeError `limit_exceeded` */
export function requireNotReduceOnly({ limits }: Caller, what: string): void {
  if (limits?.reduceOnly !== true) return;
  refuse(`The key may only make positions smaller: ${what}.`, 'type', 'a close of a position');
}

/** The money of one operation, in 1/100 000 000. @throws BridgeError `limit_exceeded` */
export function reservedAmount({ limits }: Caller, amount: string): string {
  const moved = unitsOf(amount.replace(/^-/, ''));
  if (limits?.maxAmount !== undefined && BigInt(moved) > BigInt(unitsOf(limits.maxAmount)))
    refuse(`The key may move at most ${limits.maxAmount} at once.`, 'amount', `at most ${limits.maxAmount}`);
  return moved;
}

export interface Opening {
  readonly login: number;
  readonly symbol: string;
  readonly group: string;
  readonly side: Side;
  /** In 1/100 000 000 lot. */
  readonly volume: bigint;
  readonly pending: boolean;
}

/**
 * What an order takes of the limits. On a netting account an order against the position makes that smaller.
 * @throws BridgeError `limit_exceeded` for a key that may only reduce
 */
export async function reserveOrder(
  order: Opening,
  { limits }: Caller,
  { books, context, now }: { books: TradeBooks; context: ReadContext; now: () => number },
): Promise<Reservation> {
  const { login, symbol, group, side, volume, pending } = order;
  const trade = { side, volume: String(volume) };
  if (limits?.maxPositions === undefined && limits?.maxExposureLots === undefined && limits?.reduceOnly !== true)
    return { symbol, group, trade };
  const readAtMs = now();
  const [positions, orders, hedging] = await Promise.all([
    books.positions(login, context),
    books.openOrders(login, context),
    books.isHedging(group, context),
  ]);
  const held = positions.map(positionOf).filter((position) => position.symbol === symbol);
  const opposite = hedging ? undefined : held.find((position) => position.side !== side);
  const reduces = !pending && opposite !== undefined && volume <= opposite.volume ? opposite : undefined;
  if (limits.reduceOnly === true && !reduces)
    refuse(
      hedging
        ? 'The key may only make positions smaller: on this account that is done by closing them.'
        : 'The key may only make positions smaller: the order is larger than what it would close, or closes nothing.',
      'volume',
      'an order against a position, at most as large',
    );
  if (reduces)
    return {
      symbol,
      group,
      trade: { ...trade, reduces: reduces.ticket },
      limits: { reducible: String(reduces.volume) },
      readAtMs,
    };
  const waiting = orders
    .map(orderOf)
    .filter((other) => other.symbol === symbol && other.side === side)
    .reduce((sum, other) => sum + other.volume, 0n);
  const alike = held.filter((position) => position.side === side).reduce((sum, { volume: one }) => sum + one, 0n);
  return {
    symbol,
    group,
    trade,
    limits: {
      ...(limits.maxPositions === undefined
        ? {}
        : { maxPositions: { most: limits.maxPositions, held: positions.length + orders.length } }),
      ...(limits.maxExposureLots === undefined
        ? {}
        : {
            maxExposure: {
              most: unitsOf(limits.maxExposureLots),
              held: String(alike + waiting - (opposite?.volume ?? 0n)),
            },
          }),
    },
    readAtMs,
  };
}

interface Held {
  readonly ticket: string;
  readonly symbol: string | undefined;
  readonly side: Side;
  readonly volume: bigint;
}

const volumeOf = (fields: Fields, name: string): bigint =>
  volumeUnits(fields.text(name), fields.text(`${name}Ext`)) ?? 0n;

function positionOf(object: WireObject): Held {
  const fields = new Fields(object);
  return {
    ticket: fields.text('Position') ?? '',
    symbol: fields.text('Symbol'),
    side: wireInteger(fields.text('Action')) === 0 ? 'buy' : 'sell',
    volume: volumeOf(fields, 'Volume'),
  };
}

/** Even types buy (mt5-webapi §3.10 EnOrderType). */
function orderOf(object: WireObject): Held {
  const fields = new Fields(object);
  return {
    ticket: fields.text('Order') ?? '',
    symbol: fields.text('Symbol'),
    side: (wireInteger(fields.text('Type')) ?? 0) % 2 === 0 ? 'buy' : 'sell',
    volume: volumeOf(fields, 'VolumeCurrent'),
  };
}
