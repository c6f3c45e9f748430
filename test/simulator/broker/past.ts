/**
 * The past of the simulated broker: years of deposits and trades, written through the same execution as live trading
 * at the prices of the path, in order of time, so that tickets rise and every balance is the sum of its deals.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS, dayStart, weekday } from './calendar.ts';
import { BUSY_LOGINS, CLIENTS, FIRST_CLIENT, isExposed, SPECIAL } from './clients.ts';
import type { Execution } from './execution.ts';
import { decimal, EXT_PER_LOT } from './money.ts';
import { newOrder } from './orders.ts';
import type { PricePath } from './price-path.ts';
import { createRandom, hash32, type Random } from './random.ts';
import { Rates, type QuoteSource } from './rates.ts';
import { DEAL_ACTION, ORDER_STATE, ORDER_TYPE, REASON, type Order, type Position, type User } from './records.ts';
import type { SymbolSpec } from './symbols.ts';

/** A first deposit, in the smallest unit of the account and in about as many dollars. */
interface Money {
  readonly deposit: number;
  readonly dollars: number;
}

interface Event {
  readonly timeMs: number;
  readonly run: (timeMs: number) => void;
}

const POPULAR = [
  'EURUSD',
  'EURUSD',
  'GBPUSD',
  'USDJPY',
  'XAUUSD',
  'EURGBP',
  'AUDUSD',
  'USDCAD',
  'GBPJPY',
  'US500',
  'DE40',
  'BTCUSD',
  'ETHUSD',
  'EURJPY',
  'UKOIL',
];
/** Deposit of a new account, in whole units of its currency. */
const DEPOSITS: Readonly<Record<string, number>> = { USD: 20_000, EUR: 20_000, JPY: 3_000_000 };
/** What an exposed client of the crowd holds, one position each: 50,000 clients hold 50,000 positions. */
const CROWD_SYMBOLS = [
  'EURUSD',
  'GBPUSD',
  'USDJPY',
  'XAUUSD',
  'US500',
  'BTCUSD',
  'EURJPY',
  'AUDUSD',
  'USDCAD',
  'EURGBP',
] as const;
const COMMENTS = ['', '', 'grid', 'news', 'scalp', 'купил', '对冲', 'trend #4'];

export class Past {
  readonly #execution: Execution;
  readonly #path: PricePath;
  readonly #startMs: number;
  readonly #seed: number;
  #atMs = 0;

  constructor(execution: Execution, path: PricePath, startMs: number, seed: number) {
    this.#execution = execution;
    this.#path = path;
    this.#startMs = startMs;
    this.#seed = seed;
  }

  write(users: readonly User[]): void {
    const { accounts, books } = this.#execution;
    const live = { market: accounts.market, rates: accounts.rates };
    const quote: QuoteSource = (name) => {
      const symbol = books.symbols.get(name);
      return symbol === undefined ? undefined : { symbol, ...this.#path.quote(symbol, this.#atMs) };
    };
    accounts.market = quote;
    accounts.rates = new Rates(quote);
    const events = users.flatMap((user) => this.#plan(user));
    events.sort((a, b) => a.timeMs - b.timeMs);
    for (const event of events) {
      this.#atMs = event.timeMs;
      event.run(event.timeMs);
    }
    this.#atMs = this.#startMs;
    Object.assign(accounts, live);
    for (const position of books.positions.byTicket.values()) this.#execution.roll(position, this.#startMs);
  }

  #plan(user: User): Event[] {
    if (user.login === SPECIAL.empty) return [];
    const random = createRandom(hash32(this.#seed, user.login));
    const beganMs = Number(user.fields['Registration']) * 1000;
    const { currency, currencyDigits, hedging } = this.#execution.books.groupOf(user);
    const unit = 10 ** currencyDigits;
    const size = random.integer(1, 5);
    const deposit = (DEPOSITS[currency] ?? 20_000) * unit * size;
    const money: Money = { deposit, dollars: 20_000 * size };
    const events: Event[] = [
      {
        timeMs: beganMs + HOUR_MS,
        run: (timeMs) => this.#balance(user, DEAL_ACTION.balance, deposit, 'Deposit', timeMs),
      },
    ];
    if (user.login >= FIRST_CLIENT + CLIENTS) {
      if (isExposed(user.login)) events.push(...this.#crowdPositions(user, money, random));
      return events;
    }
    if (random.chance(0.15)) {
      const timeMs = beganMs + 30 * DAY_MS;
      events.push({ timeMs, run: (at) => this.#balance(user, DEAL_ACTION.credit, deposit / 20, 'Credit line', at) });
    }
    if (random.chance(0.3)) {
      const timeMs = beganMs + 200 * DAY_MS;
      events.push({ timeMs, run: (at) => this.#balance(user, DEAL_ACTION.bonus, deposit / 100, 'Loyalty bonus', at) });
    }
    if (random.chance(0.3)) {
      const timeMs = beganMs + 300 * DAY_MS;
      events.push({ timeMs, run: (at) => this.#balance(user, DEAL_ACTION.balance, -deposit / 10, 'Withdrawal', at) });
    }
    const trades = BUSY_LOGINS.includes(user.login) ? 620 : random.integer(8, 45);
    for (let trade = 0; trade < trades; trade += 1) {
      const openMs = this.#marketTime(beganMs + DAY_MS, this.#startMs - 8 * DAY_MS, random);
      events.push(
        ...(hedging ? this.#roundTrip(user, money, openMs, random) : this.#nettingTrade(user, money, openMs, random)),
      );
    }
    if (random.chance(0.5)) events.push(...this.#deadOrders(user, money, beganMs, random));
    if (user.login % 10 !== 9) events.push(...this.#present(user, money, random));
    return events;
  }

  /** A moment at which every market is open, between two others. */
  #marketTime(fromMs: number, toMs: number, random: Random): number {
    let day = dayStart(fromMs + random.next() * (toMs - fromMs));
    while (weekday(day) === 0 || weekday(day) === 6) day -= DAY_MS;
    return day + 4 * HOUR_MS + random.integer(0, 18 * 60 - 1) * MINUTE_MS + random.integer(0, 59_999);
  }

  #symbol(random: Random): SymbolSpec {
    return this.#execution.books.symbol(random.pick(POPULAR));
  }

  /** A volume worth up to 1.8 times the money of the account, in steps of the symbol. */
  #volume(symbol: SymbolSpec, money: Money, random: Random): number {
    const lots =
      (money.dollars * (0.2 + random.next() * 1.6)) / lotValueUsd(symbol, this.#path.middle(symbol, this.#startMs));
    const steps = Math.floor((lots * EXT_PER_LOT) / symbol.volumeStep);
    return Math.min(symbol.volumeMax, Math.max(symbol.volumeMin, steps * symbol.volumeStep));
  }

  #balance(user: User, action: number, amount: number, comment: string, timeMsc: number): void {
    this.#execution.balance({ user, action, amount: Math.round(amount), comment, dealer: 1000, timeMsc });
  }

  /** Money comes in again where a trader has lost most of it. */
  #refill(user: User, { deposit }: Money, timeMs: number): void {
    if (user.balance < deposit / 3) this.#balance(user, DEAL_ACTION.balance, deposit, 'Deposit', timeMs);
  }

  #trade(
    user: User,
    symbol: SymbolSpec,
    volume: number,
    fields: Partial<Order> & { type: number; timeSetupMsc: number },
  ): Order {
    const { books } = this.#execution;
    const group = books.groupOf(user);
    const order = newOrder(symbol, group, volume, { ticket: books.nextOrderTicket(), login: user.login, ...fields });
    const timeMsc = this.#atMs;
    const quote = this.#execution.accounts.price(group, symbol);
    const buys = order.type % 2 === 0;
    const price = order.price !== 0 && order.type < 2 ? order.price : buys ? (quote?.ask ?? 1) : (quote?.bid ?? 1);
    order.price = price;
    this.#execution.execute({ order, volume, price, timeMsc });
    this.#execution.archive(order, ORDER_STATE.filled, timeMsc);
    return order;
  }

  #roundTrip(user: User, money: Money, openMs: number, random: Random): Event[] {
    const symbol = this.#symbol(random);
    const volume = this.#volume(symbol, money, random);
    const type = random.integer(0, 1);
    const limit = random.chance(0.2);
    const reason = random.pick([REASON.client, REASON.client, REASON.expert, REASON.mobile, REASON.web, REASON.dealer]);
    const comment = random.pick(COMMENTS);
    const heldMs = Math.floor(random.next() ** 3 * 5 * DAY_MS) + 2 * MINUTE_MS;
    const closeMs = this.#openAgain(openMs + heldMs);
    const ending = random.next();
    let ticket = 0;
    return [
      {
        timeMs: openMs,
        run: (timeMs) => {
          this.#refill(user, money, timeMs);
          const setup = limit ? timeMs - random.integer(1, 300) * MINUTE_MS : timeMs;
          ticket = this.#trade(user, symbol, volume, {
            type: limit ? type + 2 : type,
            timeSetupMsc: setup,
            reason,
            comment,
          }).ticket;
        },
      },
      {
        timeMs: closeMs,
        run: (timeMs) => {
          const position = this.#execution.books.positions.get(ticket);
          if (position === undefined) return;
          const why = ending < 0.2 ? REASON.sl : ending < 0.4 ? REASON.tp : reason;
          this.#close(user, symbol, position, why, timeMs);
        },
      },
    ];
  }

  #close(user: User, symbol: SymbolSpec, position: Position, reason: number, timeMs: number): void {
    const quote = this.#path.quote(symbol, timeMs);
    const price = position.action === 0 ? quote.bid : quote.ask;
    const label = reason === REASON.sl ? 'sl' : reason === REASON.tp ? 'tp' : undefined;
    this.#trade(user, symbol, position.volume, {
      type: position.action === 0 ? ORDER_TYPE.sell : ORDER_TYPE.buy,
      timeSetupMsc: timeMs,
      reason,
      price,
      positionId: position.ticket,
      comment: label === undefined ? position.comment : `[${label} ${decimal(price, symbol.digits)}]`,
    });
  }

  /** The same moment, or the next morning on which markets are open. */
  #openAgain(timeMs: number): number {
    let time = timeMs;
    const hour = (time - dayStart(time)) / HOUR_MS;
    if (hour < 4) time = dayStart(time) + 12 * HOUR_MS;
    if (hour > 22) time = dayStart(time) + DAY_MS + 12 * HOUR_MS;
    while (weekday(time) === 0 || weekday(time) === 6) time += DAY_MS;
    return time;
  }

  #nettingTrade(user: User, money: Money, openMs: number, random: Random): Event[] {
    const symbol = this.#execution.books.symbol(
      random.pick(['EURUSD', 'GBPUSD', 'USDJPY', 'XAUUSD', 'EURJPY', 'US500']),
    );
    const volume = this.#volume(symbol, money, random);
    const type = random.integer(0, 1);
    const closing = random.chance(0.5);
    const run = (timeMs: number): void => {
      this.#refill(user, money, timeMs);
      const held = this.#execution.books.positions.of(user.login).find((position) => position.symbol === symbol.name);
      if (held !== undefined && (closing || held.volume > 3 * volume))
        this.#close(user, symbol, held, REASON.client, timeMs);
      else this.#trade(user, symbol, volume, { type, timeSetupMsc: timeMs, comment: random.pick(COMMENTS) });
    };
    return [{ timeMs: openMs, run }];
  }

  /** Positions of the last days, small beside the money of the account. */
  #crowdPositions(user: User, money: Money, random: Random): Event[] {
    return CROWD_SYMBOLS.map((name) => {
      const symbol = this.#execution.books.symbol(name);
      const steps = Math.floor(this.#volume(symbol, money, random) / CROWD_SYMBOLS.length / symbol.volumeStep);
      const volume = Math.max(symbol.volumeMin, steps * symbol.volumeStep);
      const type = random.integer(0, 1);
      return {
        timeMs: this.#marketTime(this.#startMs - 7 * DAY_MS, this.#startMs - 2 * DAY_MS, random),
        run: (timeMs) => void this.#trade(user, symbol, volume, { type, timeSetupMsc: timeMs }),
      };
    });
  }

  /** Pending orders that were withdrawn or ran out. */
  #deadOrders(user: User, money: Money, beganMs: number, random: Random): Event[] {
    return Array.from({ length: random.integer(1, 6) }, () => {
      const symbol = this.#symbol(random);
      const placedMs = this.#marketTime(beganMs + DAY_MS, this.#startMs - 8 * DAY_MS, random);
      const type = random.integer(2, 5);
      const volume = this.#volume(symbol, money, random);
      const expired = random.chance(0.4);
      const run = (timeMs: number): void => {
        const order = this.#pending(user, symbol, volume, type, placedMs, 0.03);
        if (expired) Object.assign(order, { typeTime: 2, timeExpiration: Math.floor(timeMs / 1000) });
        this.#execution.archive(order, expired ? ORDER_STATE.expired : ORDER_STATE.canceled, timeMs);
      };
      return { timeMs: placedMs + random.integer(1, 40) * HOUR_MS, run };
    });
  }

  #pending(
    user: User,
    symbol: SymbolSpec,
    volume: number,
    type: number,
    timeSetupMsc: number,
    distance: number,
  ): Order {
    const { books } = this.#execution;
    const middle = this.#path.middle(symbol, this.#atMs);
    // Limits wait on the good side of the market, stops on the other.
    const below = type === ORDER_TYPE.buyLimit || type === ORDER_TYPE.sellStop;
    const price = Math.max(1, Math.round(middle * (below ? 1 - distance : 1 + distance)));
    return newOrder(symbol, books.groupOf(user), volume, {
      ticket: books.nextOrderTicket(),
      login: user.login,
      type,
      timeSetupMsc,
      price,
      typeFill: 2,
      state: ORDER_STATE.placed,
    });
  }

  /** What a client holds when the simulation starts: positions of the last days and waiting orders. */
  #present(user: User, money: Money, random: Random): Event[] {
    const { books } = this.#execution;
    const events: Event[] = [];
    const hedging = books.groupOf(user).hedging;
    const names = ['EURUSD', 'GBPUSD', 'USDJPY', 'XAUUSD', 'US500', 'BTCUSD', 'EURUSD'];
    const count = user.login === 1001 ? 5 : random.integer(1, 5);
    for (let index = 0; index < count; index += 1) {
      const symbol = books.symbol(names[index] ?? 'EURUSD');
      const volume = Math.max(
        symbol.volumeMin,
        Math.floor(this.#volume(symbol, money, random) / 3 / symbol.volumeStep) * symbol.volumeStep,
      );
      const type = index === 0 ? 0 : random.integer(0, 1);
      const protectedBy = random.chance(0.5);
      const openMs = this.#marketTime(this.#startMs - 7 * DAY_MS, this.#startMs - 2 * DAY_MS, random);
      const run = (timeMs: number): void => {
        this.#refill(user, money, timeMs);
        const order = this.#trade(user, symbol, volume, { type, timeSetupMsc: timeMs, comment: random.pick(COMMENTS) });
        const position = books.positions.get(hedging ? order.ticket : order.positionId);
        if (position === undefined || !protectedBy) return;
        const away = Math.round(this.#path.middle(symbol, this.#startMs) * 0.05);
        const middle = this.#path.middle(symbol, this.#startMs);
        position.sl = position.action === 0 ? middle - away : middle + away;
        position.tp = position.action === 0 ? middle + away : middle - away;
      };
      events.push({ timeMs: openMs, run });
    }
    const orders = user.login === 1001 ? 3 : random.integer(0, 3);
    for (let index = 0; index < orders; index += 1) {
      const symbol = books.symbol(names[index] ?? 'EURUSD');
      const volume = this.#volume(symbol, money, random);
      const type = random.integer(2, 5);
      const run = (timeMs: number): void => {
        const order = this.#pending(user, symbol, volume, type, timeMs, 0.02 + random.next() * 0.03);
        books.orders.add(order);
      };
      // Placed a moment before the start, so that nothing has reached its price yet.
      events.push({ timeMs: this.#startMs - random.integer(60, 86_400) * 1000, run });
    }
    return events;
  }
}

/** About what a lot is worth in dollars, to size volumes. */
function lotValueUsd(symbol: SymbolSpec, middle: number): number {
  const value = ((symbol.contractSize / 100) * middle) / 10 ** symbol.digits;
  const perUsd: Readonly<Record<string, number>> = {
    USD: 1,
    EUR: 1.165,
    GBP: 1.345,
    JPY: 1 / 150,
    CAD: 0.72,
    CHF: 1.25,
  };
  return value * (perUsd[symbol.profitCurrency] ?? 1);
}
