/** What the market sets off by itself: waiting orders, stops, expirations, margin call and stop-out, nights. */
import { DAY_MS, dayStart } from './calendar.ts';
import { becomeLimit, type Desk } from './dealer-desk.ts';
import type { Quote } from './feed.ts';
import { STOP_OUT, type Group } from './groups.ts';
import { executeMarket } from './market-order.ts';
import { decimal } from './money.ts';
import { newOrder } from './orders.ts';
import { ORDER_STATE, ORDER_TYPE, REASON, sideOf, TYPE_TIME, type Order, type Position, type User } from './records.ts';
import { parseTradeRequest, type TradeRequest } from './trade-request.ts';
import { TRADE } from './trade-retcodes.ts';
import { marketOpen, pendingDistance, type Bid } from './trade-rules.ts';
import type { World } from './world.ts';

/** Accounts are looked at for stop-out as often as this, server time. */
const ACCOUNT_CHECK_MS = 200;
/** At most so many in one turn, some 1 ms: with 5,000 accounts that hold positions, all at once would take a tenth of a second. */
const ACCOUNTS_A_TURN = 25;
const EXPIRATION_CHECK_MS = 1000;
const STOP_OUT_STATE = { none: 0, marginCall: 1, stopOut: 2 } as const;

export class Engine {
  readonly #world: World;
  readonly #dirty = new Set<number>();
  /** Of those, the ones whose turn has come. */
  readonly #due = new Set<number>();
  #accountsAtMs = 0;
  #expirationsAtMs = 0;
  #dayMs: number;

  constructor(world: World, nowMs: number) {
    this.#world = world;
    this.#dayMs = dayStart(nowMs);
  }

  /** Everything that follows from the quotes that changed and the time that passed. */
  turn(nowMs: number, changed: ReadonlySet<Quote>): void {
    this.#newDay(nowMs);
    for (const quote of changed) {
      if (!marketOpen(quote.symbol, nowMs)) continue;
      this.#orders(quote, nowMs);
      this.#stops(quote, nowMs);
    }
    if (nowMs - this.#expirationsAtMs >= EXPIRATION_CHECK_MS || nowMs < this.#expirationsAtMs) {
      this.#expirationsAtMs = nowMs;
      for (const order of this.#world.books.orders.byTicket.values())
        if (expired(order, nowMs)) this.#world.execution.archive(order, ORDER_STATE.expired, nowMs);
    }
    if (nowMs - this.#accountsAtMs >= ACCOUNT_CHECK_MS || nowMs < this.#accountsAtMs) {
      this.#accountsAtMs = nowMs;
      for (const login of this.#dirty) this.#due.add(login);
      this.#dirty.clear();
    }
    let room = ACCOUNTS_A_TURN;
    for (const login of this.#due) {
      if (room === 0) break;
      room -= 1;
      this.#due.delete(login);
      this.#account(login, nowMs);
    }
  }

  /** Swaps of the nights, and the figures that records keep of the day before. */
  #newDay(nowMs: number): void {
    const day = dayStart(nowMs);
    if (day <= this.#dayMs) return;
    const newMonth = new Date(day).getUTCMonth() !== new Date(this.#dayMs).getUTCMonth();
    this.#dayMs = day;
    const { books, accounts, execution } = this.#world;
    for (const position of books.positions.byTicket.values()) {
      execution.roll(position, nowMs);
      this.#dirty.add(position.login);
    }
    for (const user of books.users.values()) {
      user.balancePrevDay = user.balance;
      user.equityPrevDay = accounts.state(user).equity;
      if (!newMonth) continue;
      user.balancePrevMonth = user.balance;
      user.equityPrevMonth = user.equityPrevDay;
    }
  }

  #price(user: User, quote: Quote): Bid {
    const { books, accounts } = this.#world;
    return accounts.price(books.groupOf(user), quote.symbol) ?? quote;
  }

  #orders(quote: Quote, nowMs: number): void {
    const { books } = this.#world;
    const orders = books.orders.inSymbol(quote.symbol.name);
    if (orders.size === 0) return;
    for (const order of orders) {
      const user = books.users.get(order.login);
      if (user === undefined) continue;
      const market = this.#price(user, quote);
      const waiting = order.type > ORDER_TYPE.sell && pendingDistance(order.type, market, order.price) > 0;
      if (waiting) continue;
      if (becomeLimit(order)) {
        order.activationMode = 2;
        order.activationTime = Math.floor(nowMs / 1000);
        order.activationPrice = order.type === ORDER_TYPE.buyLimit ? market.ask : market.bid;
        books.version += 1;
        continue;
      }
      this.#activate(user, order, market, nowMs);
    }
  }

  /** Executes a waiting order, or cancels it where the account cannot carry it. */
  #activate(user: User, order: Order, market: Bid, nowMs: number): void {
    const before = order.state;
    if (order.type > ORDER_TYPE.sell) {
      order.activationMode = 1;
      order.activationTime = Math.floor(nowMs / 1000);
      order.activationPrice = sideOf(order.type) === 0 ? market.ask : market.bid;
    }
    const outcome = executeMarket(
      this.#desk(user, order.symbol, market, nowMs, { Volume: '0' }, order.volumeCurrent),
      order,
    );
    if (outcome.retcode === TRADE.done || outcome.retcode === TRADE.donePartial) {
      this.#dirty.add(user.login);
      return;
    }
    if (outcome.retcode === TRADE.marketClosed) {
      order.state = before;
      return;
    }
    order.comment =
      order.comment === '' ? `[${outcome.retcode === TRADE.noMoney ? 'no money' : outcome.retcode}]` : order.comment;
    this.#world.execution.archive(order, ORDER_STATE.canceled, nowMs);
  }

  #desk(
    user: User,
    symbolName: string,
    market: Bid,
    nowMs: number,
    fields: Readonly<Record<string, string>>,
    volume: number,
  ): Desk {
    const { books } = this.#world;
    const request = parseTradeRequest({ Action: '200', Login: String(user.login), Symbol: symbolName, ...fields }, 0);
    if (request === undefined) throw new Error('a request of the engine is malformed');
    const symbol = books.symbol(symbolName);
    const own: TradeRequest = { ...request, volume };
    return {
      world: this.#world,
      request: own,
      user,
      group: books.groupOf(user),
      symbol,
      market,
      nowMs,
      liquidityPercent: 100,
    };
  }

  #stops(quote: Quote, nowMs: number): void {
    const { books } = this.#world;
    for (const position of books.positions.inSymbol(quote.symbol.name)) {
      this.#dirty.add(position.login);
      if (position.sl === 0 && position.tp === 0) continue;
      const user = books.users.get(position.login);
      if (user === undefined) continue;
      const market = this.#price(user, quote);
      const price = position.action === 0 ? market.bid : market.ask;
      const gain = position.action === 0 ? 1 : -1;
      if (position.sl !== 0 && (price - position.sl) * gain <= 0) this.#close(user, position, price, REASON.sl, nowMs);
      else if (position.tp !== 0 && (price - position.tp) * gain >= 0)
        this.#close(user, position, price, REASON.tp, nowMs);
    }
  }

  /** Closes a position by the server's own order. */
  #close(user: User, position: Position, price: number, reason: number, nowMs: number, label?: string): void {
    const { books, execution } = this.#world;
    const symbol = books.symbol(position.symbol);
    const level = reason === REASON.sl ? position.sl : position.tp;
    const order = newOrder(symbol, books.groupOf(user), position.volume, {
      ticket: books.nextOrderTicket(),
      login: user.login,
      type: position.action === 0 ? ORDER_TYPE.sell : ORDER_TYPE.buy,
      timeSetupMsc: nowMs,
      reason,
      price,
      positionId: position.ticket,
      comment: label ?? `[${reason === REASON.sl ? 'sl' : 'tp'} ${decimal(level, symbol.digits)}]`,
      expertId: position.expertId,
    });
    execution.execute({ order, volume: position.volume, price, timeMsc: nowMs });
    execution.archive(order, ORDER_STATE.filled, nowMs);
    this.#dirty.add(user.login);
  }

  /** Margin call and stop-out: the largest loss goes first, until the level is above the limit again. */
  #account(login: number, nowMs: number): void {
    const { books, accounts } = this.#world;
    const user = books.users.get(login);
    if (user === undefined) return;
    const group = books.groupOf(user);
    for (let closed = 0; closed < 1000; closed += 1) {
      const state = accounts.state(user);
      const activation =
        state.margin === 0 ? STOP_OUT_STATE.none : activationOf(group, state.marginLevel, state.equity);
      if (activation !== user.stopOut.activation) {
        const { equity, margin, marginLevel: level } = state;
        user.stopOut =
          activation === STOP_OUT_STATE.none
            ? { activation, timeMs: 0, level: 0, equity: 0, margin: 0 }
            : { activation, timeMs: nowMs, level, equity, margin };
        books.version += 1;
      }
      if (activation !== STOP_OUT_STATE.stopOut) return;
      const worst = this.#worst(group, login, nowMs);
      if (worst === undefined) return;
      const label = `[so ${decimal(state.marginLevel, 2)}%/${decimal(state.equity, group.currencyDigits)}]`;
      this.#close(user, worst, accounts.currentPrice(group, worst), REASON.so, nowMs, label);
    }
  }

  #worst(group: Group, login: number, nowMs: number): Position | undefined {
    const { books, accounts } = this.#world;
    let worst: { readonly position: Position; readonly profit: number } | undefined;
    for (const position of books.positions.of(login)) {
      if (!marketOpen(books.symbol(position.symbol), nowMs)) continue;
      const profit = accounts.profit(group, position) + position.storage;
      if (worst === undefined || profit < worst.profit) worst = { position, profit };
    }
    return worst?.position;
  }
}

function activationOf(group: Group, level: number, equity: number): number {
  const value = group.stopOutMode === STOP_OUT.percent ? level : equity;
  if (value <= group.marginStopOut) return STOP_OUT_STATE.stopOut;
  return value <= group.marginCall ? STOP_OUT_STATE.marginCall : STOP_OUT_STATE.none;
}

function expired(order: Order, nowMs: number): boolean {
  switch (order.typeTime) {
    case TYPE_TIME.day:
      return dayStart(order.timeSetupMsc) < dayStart(nowMs);
    case TYPE_TIME.specified:
      return nowMs >= order.timeExpiration * 1000;
    case TYPE_TIME.specifiedDay:
      return nowMs >= dayStart(order.timeExpiration * 1000) + DAY_MS;
    default:
      return false;
  }
}
