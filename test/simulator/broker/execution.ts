/**
 * Execution: the only code that turns orders into deals, deals into positions and money. Live trading and the written
 * past go through it alike, so that every balance is the sum of its deals.
 */
import type { Accounts } from './account.ts';
import type { Books } from './books.ts';
import { commissionOf, nightsDue, rolledFrom, swapOf } from './charges.ts';
import type { Group } from './groups.ts';
import { share, weightedAverage } from './money.ts';
import { DEAL_ACTION, ENTRY, ORDER_STATE, sideOf, type Deal, type Order, type Position, type User } from './records.ts';
import type { SymbolSpec } from './symbols.ts';
import { convert, NEUTRAL_RATE, profitRaw } from './valuation.ts';

export interface Fill {
  readonly order: Order;
  readonly volume: number;
  readonly price: number;
  readonly timeMsc: number;
}

export interface BalanceOperation {
  readonly user: User;
  /** Deal action: 2 balance, 3 credit, 4 charge, 5 correction, 6 bonus. */
  readonly action: number;
  readonly amount: number;
  readonly comment: string;
  readonly dealer: number;
  readonly timeMsc: number;
}

export class Execution {
  readonly books: Books;
  readonly accounts: Accounts;

  constructor(books: Books, accounts: Accounts) {
    this.books = books;
    this.accounts = accounts;
  }

  /** Executes a volume of an order at a price: a deal, its effect on positions, and the money. */
  execute(fill: Fill): Deal {
    const { order, volume, price, timeMsc } = fill;
    const user = this.#user(order.login);
    const group = this.books.groupOf(user);
    const symbol = this.books.symbol(order.symbol);
    const side = sideOf(order.type);
    const market = this.accounts.market(symbol.name);
    const deal: Deal = {
      ...this.#blankDeal(user, group, order, timeMsc),
      action: side === 0 ? DEAL_ACTION.buy : DEAL_ACTION.sell,
      symbol: symbol.name,
      digits: symbol.digits,
      contractSize: symbol.contractSize,
      price,
      sl: order.sl,
      tp: order.tp,
      volume,
      profitDigits: symbol.profitDigits,
      terms: { group, symbol },
      rateProfit: this.accounts.rateProfit(group, symbol, side),
      rateMargin: this.accounts.rateMargin(group, symbol, side),
      marketBid: market?.bid ?? 0,
      marketAsk: market?.ask ?? 0,
    };
    const target = this.#target(group, order);
    if (target === undefined) {
      deal.positionId = this.#open(deal, order).ticket;
    } else {
      this.roll(target, timeMsc);
      deal.positionId = target.ticket;
      if (target.action === side) this.#grow(target, deal, order);
      else if (volume <= target.volume) this.#reduce(target, deal, volume, symbol, group);
      else this.#reverse(target, deal, order, symbol, group);
    }
    deal.commission = commissionOf(group, symbol, deal);
    user.balance += deal.profit + deal.storage + deal.commission;
    order.volumeCurrent -= volume;
    order.state = order.volumeCurrent === 0 ? ORDER_STATE.filled : ORDER_STATE.partial;
    if (order.positionId === 0) order.positionId = deal.positionId;
    this.books.deals.add(deal);
    this.books.touch(order.login);
    return deal;
  }

  /** Netting: the symbol's one position. Hedging: the position the order names, or the one its first part opened. */
  #target(group: Group, order: Order): Position | undefined {
    if (!group.hedging) return this.books.positions.of(order.login).find(({ symbol }) => symbol === order.symbol);
    return this.books.positions.get(order.positionId === 0 ? order.ticket : order.positionId);
  }

  #open(deal: Deal, order: Order): Position {
    deal.entry = ENTRY.in;
    const position: Position = {
      ticket: order.ticket,
      externalId: '',
      login: deal.login,
      dealer: deal.dealer,
      symbol: deal.symbol,
      action: deal.action === DEAL_ACTION.buy ? 0 : 1,
      digits: deal.digits,
      currencyDigits: deal.currencyDigits,
      reason: deal.reason,
      contractSize: deal.contractSize,
      timeCreateMsc: deal.timeMsc,
      timeUpdateMsc: deal.timeMsc,
      modifyFlags: 0,
      priceOpen: deal.price,
      sl: order.sl,
      tp: order.tp,
      volume: deal.volume,
      storage: 0,
      rolledUntilMs: rolledFrom(deal.timeMsc),
      rateMargin: deal.rateMargin,
      expertId: deal.expertId,
      comment: deal.comment,
      activationMode: 0,
      activationTime: 0,
      activationPrice: 0,
      activationFlags: 0,
    };
    deal.pricePosition = 0;
    this.books.positions.add(position);
    return position;
  }

  #grow(position: Position, deal: Deal, order: Order): void {
    deal.entry = ENTRY.in;
    position.priceOpen = weightedAverage(position.priceOpen, position.volume, deal.price, deal.volume);
    position.rateMargin = weightedAverage(position.rateMargin, position.volume, deal.rateMargin, deal.volume);
    position.volume += deal.volume;
    position.timeUpdateMsc = deal.timeMsc;
    if (order.sl !== 0) position.sl = order.sl;
    if (order.tp !== 0) position.tp = order.tp;
  }

  #reduce(position: Position, deal: Deal, volume: number, symbol: SymbolSpec, group: Group): void {
    deal.entry = deal.entry === ENTRY.inOut || deal.entry === ENTRY.outBy ? deal.entry : ENTRY.out;
    deal.volumeClosed = volume;
    deal.pricePosition = position.priceOpen;
    deal.rateProfit = this.accounts.rateProfit(group, symbol, position.action);
    deal.profitRaw = profitRaw(symbol, position.action, volume, position.priceOpen, deal.price);
    deal.profit = convert(deal.profitRaw, symbol.profitDigits, group.currencyDigits, deal.rateProfit);
    deal.storage = share(position.storage, volume, position.volume);
    position.storage -= deal.storage;
    position.volume -= volume;
    position.timeUpdateMsc = deal.timeMsc;
    if (position.volume === 0) this.books.positions.remove(position);
  }

  /** Netting: more than the position, on the other side. The rest goes on under the same ticket. */
  #reverse(position: Position, deal: Deal, order: Order, symbol: SymbolSpec, group: Group): void {
    deal.entry = ENTRY.inOut;
    const rest = deal.volume - position.volume;
    this.#reduce(position, deal, position.volume, symbol, group);
    position.action = deal.action === DEAL_ACTION.buy ? 0 : 1;
    position.volume = rest;
    position.priceOpen = deal.price;
    position.rateMargin = deal.rateMargin;
    position.rolledUntilMs = rolledFrom(deal.timeMsc);
    position.sl = order.sl;
    position.tp = order.tp;
    position.comment = deal.comment;
    this.books.positions.add(position);
  }

  /** Closes two opposite positions of one symbol against each other, each at the other's opening price. */
  closeBy(order: Order, position: Position, by: Position, timeMsc: number): readonly [Deal, Deal] {
    const user = this.#user(order.login);
    const group = this.books.groupOf(user);
    const symbol = this.books.symbol(order.symbol);
    const volume = Math.min(position.volume, by.volume);
    const market = this.accounts.market(symbol.name);
    const close = (closed: Position, price: number): Deal => {
      this.roll(closed, timeMsc);
      const deal: Deal = {
        ...this.#blankDeal(user, group, order, timeMsc),
        action: closed.action === 0 ? DEAL_ACTION.sell : DEAL_ACTION.buy,
        entry: ENTRY.outBy,
        symbol: symbol.name,
        digits: symbol.digits,
        contractSize: symbol.contractSize,
        price,
        volume,
        profitDigits: symbol.profitDigits,
        terms: { group, symbol },
        positionId: closed.ticket,
        rateMargin: closed.rateMargin,
        marketBid: market?.bid ?? 0,
        marketAsk: market?.ask ?? 0,
      };
      this.#reduce(closed, deal, volume, symbol, group);
      deal.commission = commissionOf(group, symbol, deal);
      user.balance += deal.profit + deal.storage + deal.commission;
      this.books.deals.add(deal);
      return deal;
    };
    // The whole difference is realised by the first: the second closes at its own opening price.
    const prices = [by.priceOpen, by.priceOpen] as const;
    const deals = [close(position, prices[0]), close(by, prices[1])] as const;
    order.volumeCurrent = 0;
    order.volumeInitial = volume;
    order.state = ORDER_STATE.filled;
    this.books.touch(order.login);
    return deals;
  }

  balance(operation: BalanceOperation): Deal {
    const { user, action, amount, comment, dealer, timeMsc } = operation;
    const group = this.books.groupOf(user);
    const deal: Deal = {
      ...this.#blankDeal(user, group, undefined, timeMsc),
      action,
      dealer,
      comment,
      profit: amount,
      reason: 2,
    };
    if (action === DEAL_ACTION.credit) user.credit += amount;
    else user.balance += amount;
    this.books.deals.add(deal);
    this.books.version += 1;
    return deal;
  }

  /** Adds the swaps of the nights that have passed. */
  roll(position: Position, nowMs: number): void {
    const symbol = this.books.symbols.get(position.symbol);
    const user = this.books.users.get(position.login);
    if (symbol === undefined || user === undefined) return;
    const until = rolledFrom(nowMs);
    if (until <= position.rolledUntilMs) return;
    const nights = nightsDue(symbol, position, nowMs);
    position.rolledUntilMs = until;
    if (nights === 0) return;
    const group = this.books.groupOf(user);
    const rateProfit = this.accounts.rateProfit(group, symbol, position.action);
    const price = this.accounts.currentPrice(group, position);
    position.storage += swapOf(group, symbol, position, { nights, rateProfit, price });
    this.books.version += 1;
  }

  /** Takes an order out of the open orders into the history. */
  archive(order: Order, state: number, timeMsc: number): void {
    order.state = state;
    order.timeDoneMsc = timeMsc;
    const market = this.accounts.market(order.symbol);
    order.priceCurrent = market === undefined ? 0 : sideOf(order.type) === 0 ? market.ask : market.bid;
    if (this.books.orders.get(order.ticket) === order) this.books.orders.remove(order);
    this.books.history.add(order);
    this.books.version += 1;
  }

  #user(login: number): User {
    const user = this.books.users.get(login);
    if (user === undefined) throw new Error(`no login ${login}`);
    return user;
  }

  #blankDeal(user: User, group: Group, order: Order | undefined, timeMsc: number): Deal {
    return {
      ticket: this.books.nextDealTicket(),
      externalId: '',
      login: user.login,
      dealer: order?.dealer ?? 0,
      order: order?.ticket ?? 0,
      action: DEAL_ACTION.balance,
      entry: ENTRY.in,
      reason: order?.reason ?? 0,
      digits: 0,
      currencyDigits: group.currencyDigits,
      contractSize: 0,
      timeMsc,
      symbol: '',
      price: 0,
      sl: 0,
      tp: 0,
      volume: 0,
      volumeClosed: 0,
      profit: 0,
      profitRaw: 0,
      profitDigits: group.currencyDigits,
      storage: 0,
      commission: 0,
      rateProfit: order === undefined ? 0 : NEUTRAL_RATE,
      rateMargin: order === undefined ? 0 : NEUTRAL_RATE,
      expertId: order?.expertId ?? 0,
      positionId: 0,
      comment: order?.comment ?? '',
      pricePosition: 0,
      marketBid: 0,
      marketAsk: 0,
      modifyFlags: 0,
      terms: undefined,
    };
  }
}
