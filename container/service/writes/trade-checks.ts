import { BridgeError } from '../../contract/errors.ts';
import type { AnyRoute, RouteInput } from '../../contract/route.ts';
import type {
  cancelOrder,
  closePosition,
  closePositionBy,
  modifyOrder,
  modifyPosition,
  placeOrder,
} from '../../contract/routes/trading.ts';
import { wireInteger } from '../../webapi/fields.ts';
import { lotsFromVolume } from '../../webapi/volume.ts';
import { taggedComment } from '../broker/own-comment.ts';
import type { RouteContext } from '../handler.ts';
import type { TradeBooks } from './books.ts';
import { held, orderFields, pick, sideOf, sideOfPosition, type Held } from './held.ts';
import { requireNotReduceOnly, requireSymbol, requireVolume, reserveOrder, type Reservation } from './limits.ts';
import { pricingOf, type Pricing } from './market-price.ts';
import type { OperationRequest } from './operation-request.ts';
import {
  exactLevel,
  exactPrice,
  exactVolume,
  fillingCode,
  requireLevels,
  requireOpening,
  requireSides,
  timeCode,
  typeCode,
  volumeFields,
  type Side,
  type SymbolRules,
} from './symbol-rules.ts';

/** Dealer actions of `dealer/send_request` (mt5-webapi §3.10 EnTradeActions). */
const ACTION = {
  execute: '200',
  placePending: '201',
  modifyPosition: '202',
  modifyOrder: '203',
  removeOrder: '204',
  closeBy: '208',
} as const;
/** TA_FLAG_CLOSE (mt5-webapi §3.10 EnTradeActionFlags). */
const FLAG_CLOSE = 1;

/** A dealer request that passed every check, and how its outcome is known. */
export interface Ticket {
  readonly kind: string;
  readonly login: number;
  readonly what: string;
  readonly effect: OperationRequest;
  /** What it takes of the key's limits. */
  readonly reserve: Reservation;
  readonly volume?: bigint;
  /** MT5 `Volume` of the margin check; absent = the trade needs no margin. */
  readonly margin?: {
    readonly symbol: string;
    readonly type: string;
    readonly volume: string;
    readonly price: string | undefined;
  };
  /** A trade at the market: its price is asked for when it is sent. Absent = the request has its price, or none. */
  readonly pricing?: Pricing;
  request(tag: string): Readonly<Record<string, string>>;
  /** What the answer shows once it was executed. */
  readonly shows: 'order' | 'position';
}

export type Input<Route extends AnyRoute> = RouteInput<Route>;

/** Everything that can be known of a trade before it is sent: the symbol's rules, the key's limits, what is held. */
export class TradeChecks {
  readonly #books: TradeBooks;
  readonly #now: () => number;

  constructor(books: TradeBooks, now: () => number) {
    this.#books = books;
    this.#now = now;
  }

  async place({ body }: Input<typeof placeOrder>, context: RouteContext): Promise<Ticket> {
    const books = this.#books;
    const { login, symbol, side, type } = body;
    requireSymbol(context.caller, symbol);
    requireVolume(context.caller, body.volume);
    const rules = await books.rules(login, symbol, context);
    requireOpening(rules, side, type);
    requireLevels(rules, body);
    const volume = exactVolume(rules, body.volume);
    const given = body.price === undefined ? undefined : exactPrice(rules, 'price', body.price);
    if (given !== undefined && type !== 'market') requireSides(side, body.stopLimitPrice ?? given, body);
    const pending = type !== 'market';
    if (pending) requireNotReduceOnly(context.caller, 'a pending order opens one');
    const group = await books.group(login, context);
    const timeInForce = body.timeInForce ?? 'gtc';
    const fields = {
      Action: pending ? ACTION.placePending : ACTION.execute,
      Login: String(login),
      Symbol: symbol,
      Digits: String(rules.digits),
      Type: typeCode(type, side),
      TypeFill: fillingCode(rules, type, body.filling),
      TypeTime: pending ? timeCode(rules, timeInForce) : '0',
      ...volumeFields(volume),
      ...(given === undefined ? {} : { PriceOrder: given }),
      ...(body.stopLimitPrice === undefined
        ? {}
        : { PriceTrigger: exactPrice(rules, 'stopLimitPrice', body.stopLimitPrice) }),
      ...(body.stopLoss === undefined ? {} : { PriceSL: exactLevel(rules, 'stopLoss', body.stopLoss) }),
      ...(body.takeProfit === undefined ? {} : { PriceTP: exactLevel(rules, 'takeProfit', body.takeProfit) }),
      ...(body.expiresAt === undefined ? {} : { TimeExpiration: await this.#expiration(body.expiresAt, context) }),
    };
    const reserve = await reserveOrder({ login, symbol, group, side, volume, pending }, context.caller, {
      books,
      context,
      now: this.#now,
    });
    return {
      kind: 'order.place',
      login,
      reserve,
      what: `${side} ${body.volume} ${symbol}`,
      volume,
      effect: {
        effect: 'tagged_trade',
        login,
        pending,
        status: 201,
        ...dealerPriceOf(body),
        sentBeforeMs: context.deadlineAtMs,
      },
      margin: { symbol, type: typeCode('market', side), volume: volumeFields(volume).Volume, price: given },
      ...(pending ? {} : { pricing: pricingOf({ group, side, rules, flags: 0 }, body) }),
      request: (tag) => ({ ...fields, Comment: taggedComment(body, tag) }),
      shows: 'order',
    };
  }

  async modifyOrder({ params, body }: Input<typeof modifyOrder>, context: RouteContext): Promise<Ticket> {
    const books = this.#books;
    requireNotReduceOnly(context.caller, 'changing a pending order does not');
    const { object, fields, login, symbol } = await this.#openOrder(params.ticket, context);
    const rules = await books.rules(login, symbol, context);
    requireLevels(rules, body);
    const kept = (name: string): string => fields.text(name) ?? '0';
    const wanted = {
      PriceOrder: body.price === undefined ? kept('PriceOrder') : exactPrice(rules, 'price', body.price),
      PriceTrigger:
        body.stopLimitPrice === undefined
          ? kept('PriceTrigger')
          : exactPrice(rules, 'stopLimitPrice', body.stopLimitPrice),
      PriceSL: body.stopLoss === undefined ? kept('PriceSL') : exactLevel(rules, 'stopLoss', body.stopLoss),
      PriceTP: body.takeProfit === undefined ? kept('PriceTP') : exactLevel(rules, 'takeProfit', body.takeProfit),
      TypeTime: body.timeInForce === undefined ? kept('TypeTime') : timeCode(rules, body.timeInForce),
      TimeExpiration:
        body.expiresAt === undefined ? kept('TimeExpiration') : await this.#expiration(body.expiresAt, context),
    };
    requireSides(sideOf(fields), /[1-9]/.test(wanted.PriceTrigger) ? wanted.PriceTrigger : wanted.PriceOrder, {
      stopLoss: wanted.PriceSL,
      takeProfit: wanted.PriceTP,
    });
    const before = pick(object, Object.keys(wanted));
    return {
      kind: 'order.modify',
      login,
      reserve: await this.#plain(login, symbol, context),
      what: `modify order ${params.ticket}`,
      effect: {
        effect: 'order_changed',
        login,
        ticket: params.ticket,
        before,
        wanted,
        status: 200,
        sentBeforeMs: context.deadlineAtMs,
      },
      request: () => ({
        Action: ACTION.modifyOrder,
        ...orderFields(params.ticket, login, symbol, rules, fields),
        ...wanted,
      }),
      shows: 'order',
    };
  }

  async cancel({ params }: Input<typeof cancelOrder>, context: RouteContext): Promise<Ticket> {
    const { fields, login, symbol } = await this.#openOrder(params.ticket, context);
    const rules = await this.#books.rules(login, symbol, context);
    return {
      kind: 'order.cancel',
      login,
      reserve: await this.#plain(login, symbol, context),
      what: `cancel order ${params.ticket}`,
      effect: {
        effect: 'order_removed',
        login,
        ticket: params.ticket,
        status: 200,
        sentBeforeMs: context.deadlineAtMs,
      },
      request: () => ({
        Action: ACTION.removeOrder,
        ...orderFields(params.ticket, login, symbol, rules, fields),
      }),
      shows: 'order',
    };
  }

  async modifyPosition({ params, body }: Input<typeof modifyPosition>, context: RouteContext): Promise<Ticket> {
    const { object, fields, login, symbol } = await this.#position(params.ticket, context);
    const rules = await this.#books.rules(login, symbol, context);
    requireLevels(rules, body);
    const kept = (name: string): string => fields.text(name) ?? '0';
    const wanted = {
      PriceSL: body.stopLoss === undefined ? kept('PriceSL') : exactLevel(rules, 'stopLoss', body.stopLoss),
      PriceTP: body.takeProfit === undefined ? kept('PriceTP') : exactLevel(rules, 'takeProfit', body.takeProfit),
    };
    return {
      kind: 'position.modify',
      login,
      reserve: await this.#plain(login, symbol, context),
      what: `modify position ${params.ticket}`,
      effect: {
        effect: 'position_changed',
        login,
        ticket: params.ticket,
        before: pick(object, Object.keys(wanted)),
        wanted,
        status: 200,
        sentBeforeMs: context.deadlineAtMs,
      },
      request: () => ({
        Action: ACTION.modifyPosition,
        Login: String(login),
        Symbol: symbol,
        Digits: String(rules.digits),
        Position: params.ticket,
        ...wanted,
      }),
      shows: 'position',
    };
  }

  async close({ params, body }: Input<typeof closePosition>, context: RouteContext): Promise<Ticket> {
    const books = this.#books;
    const readAtMs = this.#now();
    const { fields, login, symbol } = await this.#position(params.ticket, context);
    const held = lotsFromVolume(fields.text('Volume'), fields.text('VolumeExt')) ?? '0';
    const lots = body.volume ?? held;
    requireVolume(context.caller, lots);
    const rules = await books.rules(login, symbol, context);
    // A whole position may be closed whatever its size; a part of it follows the symbol's steps.
    const unbounded: SymbolRules = { ...rules, volumeMin: 0n, volumeMax: 0n, volumeStep: 0n };
    const whole = exactVolume(unbounded, held);
    const volume = exactVolume(body.volume === undefined ? unbounded : { ...rules, volumeMax: 0n }, lots);
    if (volume > whole)
      throw new BridgeError('invalid_field', {
        detail: `volume: the position has ${held} lots.`,
        field: 'volume',
        expected: `at most ${held}`,
      });
    const side: Side = wireInteger(fields.text('Action')) === 0 ? 'sell' : 'buy';
    const group = await books.group(login, context);
    return {
      kind: 'position.close',
      login,
      reserve: {
        symbol,
        group,
        trade: { side, volume: String(volume), reduces: params.ticket },
        limits: { reducible: String(whole) },
        readAtMs,
      },
      what: `close ${lots} of position ${params.ticket}`,
      volume,
      effect: {
        effect: 'tagged_trade',
        login,
        pending: false,
        status: 200,
        ...dealerPriceOf(body),
        sentBeforeMs: context.deadlineAtMs,
      },
      pricing: pricingOf({ group, side, rules, flags: FLAG_CLOSE }, body),
      request: (tag) => ({
        Action: ACTION.execute,
        Login: String(login),
        Symbol: symbol,
        Digits: String(rules.digits),
        Type: typeCode('market', side),
        TypeFill: fillingCode(rules, 'market', body.filling),
        Position: params.ticket,
        ...volumeFields(volume),
        Comment: taggedComment(body, tag),
      }),
      shows: 'order',
    };
  }

  async closeBy({ params, body }: Input<typeof closePositionBy>, context: RouteContext): Promise<Ticket> {
    const first = await this.#position(params.ticket, context);
    const second = await this.#position(body.by, context);
    const { login, symbol } = first;
    if (
      second.login !== login ||
      second.symbol !== symbol ||
      sideOfPosition(first.fields) === sideOfPosition(second.fields)
    )
      throw new BridgeError('invalid_field', {
        detail: `by: position ${body.by} is not an opposite position of the same account and symbol.`,
        field: 'by',
        expected: `an opposite position of ${login} in ${symbol}`,
      });
    const rules = await this.#books.rules(login, symbol, context);
    return {
      kind: 'position.close_by',
      login,
      reserve: await this.#plain(login, symbol, context),
      what: `close position ${params.ticket} by ${body.by}`,
      effect: { effect: 'tagged_trade', login, pending: false, status: 200, sentBeforeMs: context.deadlineAtMs },
      request: (tag) => ({
        Action: ACTION.closeBy,
        Login: String(login),
        Symbol: symbol,
        Digits: String(rules.digits),
        Position: params.ticket,
        PositionBy: body.by,
        Comment: taggedComment(body, tag),
      }),
      shows: 'order',
    };
  }

  /** Takes nothing of what is counted; halts concern it. */
  async #plain(login: number, symbol: string, context: RouteContext): Promise<Reservation> {
    return { symbol, group: await this.#books.group(login, context) };
  }

  async #openOrder(ticket: string, context: RouteContext): Promise<Held> {
    return held(await this.#books.openOrder(ticket, context), context);
  }

  async #position(ticket: string, context: RouteContext): Promise<Held> {
    return held(await this.#books.position(ticket, context), context);
  }

  /** Server time in seconds. @throws BridgeError `invalid_field` for a moment that has passed */
  async #expiration(utcMs: number, context: RouteContext): Promise<string> {
    if (utcMs <= this.#now())
      throw new BridgeError('invalid_field', {
        detail: 'expiresAt: the moment has passed.',
        field: 'expiresAt',
        expected: 'a moment to come',
      });
    const clock = await this.#books.clock(context);
    return String(Math.floor(clock.toServerMs(utcMs) / 1000));
  }
}

const dealerPriceOf = ({ dealerPrice }: { dealerPrice?: string | undefined }): { dealerPrice?: string } =>
  dealerPrice === undefined ? {} : { dealerPrice };
