/**
 * The broker inside the simulator. This folder is pure domain: it knows symbols, money, time and orders, and nothing of
 * HTTP, connections (but their numbers) or the commands' wire format. `Broker` composes the parts and drives them from
 * one clock; the wire calls what is public here, the commands may reach into the parts.
 */
import { Accounts } from './account.ts';
import { PastMarket } from './bars.ts';
import { Books } from './books.ts';
import { booksJson } from './books-json.ts';
import type { ServerZone } from './calendar.ts';
import { CLIENTS, createClient, createManagerAccount, FIRST_CLIENT, newUser } from './clients.ts';
import { createClock, type BrokerClock } from './clock.ts';
import { changeClock, clockJson } from './clock-control.ts';
import { DealerQueue } from './dealer-queue.ts';
import { Engine } from './engine.ts';
import { Execution } from './execution.ts';
import { Feed, type Quote } from './feed.ts';
import { groupCatalog } from './group-catalog.ts';
import { groupFromRecord } from './groups.ts';
import { Past } from './past.ts';
import { PricePath } from './price-path.ts';
import { PostRoom } from './post-room.ts';
import { RecordRoom } from './record-room.ts';
import { createRandom, hash32 } from './random.ts';
import { Rates } from './rates.ts';
import type { User } from './records.ts';
import { catalogRecords, symbolDefaults } from './symbol-catalog.ts';
import type { TradingHours } from './symbol-record.ts';
import { symbolFromRecord, textOf, type WireRecord } from './symbols.ts';
import { verifyBooks } from './verify-books.ts';
import type { World } from './world.ts';

export interface BrokerOptions {
  readonly seed: number;
  readonly ticksPerSecond: number;
  /** Source of real time, for tests. */
  readonly now?: () => number;
  /** Where the broker's clock starts, UTC; default the real time. */
  readonly startUtcMs?: number;
  readonly speed?: number;
  readonly zone?: ServerZone;
  readonly tradingHours?: TradingHours;
  /** Clients with a past; default 100. */
  readonly clients?: number;
}

export type FeedFault = { readonly kind: 'freeze-feed' | 'gap' | 'out-of-order'; readonly ms: number };

/** Cyprus and New York: 00:00 of the server is 17:00 in New York all year. */
const DEFAULT_ZONE: ServerZone = { offsetMinutes: 120, daylight: 'us' };
const MANAGER_LOGIN = 1000;
const INVALID_PARAMETERS = 3;
const TRADES_IN_SYMBOL = 2003;
const MOST_TICKS_A_SECOND = 10_000;
/** A change of the server's time by more than this is a jump, not its passing. */
const CLOCK_JUMP_MS = 1000;
/** Turn of the feed and the engine. */
const TURN_MS = 20;

export class Broker {
  readonly options: BrokerOptions;
  /** Symbols whose depth a connection subscribed to. */
  readonly bookSubscriptions = new Map<number, Set<string>>();
  /** Executed changes of the books that a manager asked for. */
  mutations = 0;
  readonly time: BrokerClock;
  world: World;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #lastTurnMs: number;
  #engine: Engine;
  #hours: TradingHours;

  readonly clock = {
    /** Server time, milliseconds. */
    nowMs: (): number => this.time.serverMs(),
    get: (): object => clockJson(this.time),
    /** Sets clock and speed; what is wrong with the change, or undefined. */
    set: (change: unknown): string | undefined => {
      const beforeMs = this.time.serverMs();
      const wrong = changeClock(this.time, change);
      if (wrong !== undefined) return wrong;
      const nowMs = this.time.serverMs();
      if (Math.abs(nowMs - beforeMs) >= CLOCK_JUMP_MS) this.world.market.refresh(nowMs);
      this.react(this.world.market.all);
      this.turn();
      return undefined;
    },
  };

  readonly feed = {
    get: (): object => ({
      ticksPerSecond: this.world.market.ticksPerSecond,
      tradingHours: this.#hours,
      transId: this.world.market.transId,
    }),
    /** `{ticksPerSecond?, tradingHours?}`; what is wrong with the change, or undefined. */
    set: (change: unknown): string | undefined => {
      if (typeof change !== 'object' || change === null) return 'expected an object {ticksPerSecond, tradingHours}';
      const { ticksPerSecond: rate, tradingHours: hours } = change as Record<string, unknown>;
      if (rate !== undefined && !(typeof rate === 'number' && rate >= 0 && rate <= MOST_TICKS_A_SECOND)) {
        return `ticksPerSecond: expected a number from 0 to ${MOST_TICKS_A_SECOND}`;
      }
      if (hours !== undefined && hours !== 'always' && hours !== 'real') return 'tradingHours: expected always or real';
      if (rate === undefined && hours === undefined) return 'ticksPerSecond: expected a number';
      if (typeof rate === 'number') this.world.market.ticksPerSecond = rate;
      if (hours !== undefined) this.#setHours(hours);
      return undefined;
    },
    fault: (fault: FeedFault): void => this.world.market.fault(fault.kind, this.#now() + fault.ms),
    /** Feed faults end. */
    heal: (): void => this.world.market.heal(),
  };

  readonly dealer = {
    get: (): object => ({ ...this.world.dealers.settings }),
    /** `{delayMs?, partialPercent?, next?}`; what is wrong with the change, or undefined. */
    set: (change: unknown): string | undefined => this.world.dealers.change(change),
  };

  constructor(options: BrokerOptions) {
    this.options = options;
    this.#now = options.now ?? Date.now;
    this.#hours = options.tradingHours ?? 'always';
    this.time = createClock({
      now: this.#now,
      zone: options.zone ?? DEFAULT_ZONE,
      startUtcMs: options.startUtcMs,
      speed: options.speed,
    });
    this.#lastTurnMs = this.#now();
    this.world = this.#create();
    this.#engine = new Engine(this.world, this.time.serverMs());
  }

  #create(): World {
    const { seed, ticksPerSecond } = this.options;
    const startMs = this.time.serverMs();
    const books = new Books();
    for (const record of groupCatalog()) {
      const group = groupFromRecord(record);
      books.groups.set(group.name, group);
    }
    for (const record of catalogRecords(this.#hours)) {
      const symbol = symbolFromRecord(record);
      books.symbols.set(symbol.name, symbol);
    }
    const path = new PricePath(seed);
    const random = createRandom(seed);
    const market = new Feed({ path, random, ticksPerSecond });
    market.setSymbols(books.symbols.values(), startMs);
    const quote = (symbol: string) => market.quote(symbol);
    const rates = new Rates(quote, () => market.transId);
    const accounts = new Accounts(books, quote, rates);
    const execution = new Execution(books, accounts);
    const users = [createManagerAccount(MANAGER_LOGIN, startMs)];
    for (let index = 0; index < (this.options.clients ?? CLIENTS); index += 1) {
      const login = FIRST_CLIENT + index;
      users.push(createClient(login, startMs, createRandom(hash32(seed ^ 0x55, login))));
    }
    for (const user of users) books.users.set(user.login, user);
    new Past(execution, path, startMs, seed).write(users.slice(1));
    const dealers = new DealerQueue({
      world: () => this.world,
      nowMs: this.#now,
      serverMs: () => this.time.serverMs(),
      mutated: () => {
        this.mutations += 1;
      },
    });
    const past = new PastMarket(path, seed);
    return {
      books,
      path,
      past,
      market,
      rates,
      accounts,
      execution,
      random,
      dealers,
      post: new PostRoom(),
      records: new RecordRoom(),
      archive: new Map(),
    };
  }

  /** Clock and feed run. */
  start(): void {
    this.#timer ??= setInterval(() => this.turn(), TURN_MS).unref();
  }

  /** Timers are cleared; may be called twice. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The books, the clock and the feed as after the start. */
  reset(): void {
    this.#hours = this.options.tradingHours ?? 'always';
    this.time.zone = this.options.zone ?? DEFAULT_ZONE;
    this.time.setSpeed(this.options.speed ?? 1);
    this.time.set(this.options.startUtcMs ?? this.#now());
    this.mutations = 0;
    this.#lastTurnMs = this.#now();
    this.world = this.#create();
    this.#engine = new Engine(this.world, this.time.serverMs());
  }

  /** Brings the broker to the time of its clock: ticks, and what they set off. */
  turn(): void {
    const wallMs = this.#now();
    const wallSeconds = Math.max(0, wallMs - this.#lastTurnMs) / 1000;
    this.#lastTurnMs = wallMs;
    const nowMs = this.time.serverMs();
    this.#engine.turn(nowMs, this.world.market.advance(nowMs, wallSeconds, wallMs));
    this.world.dealers.turn();
  }

  /** What quotes that were set by hand set off. */
  react(quotes: Iterable<Quote>): void {
    this.#engine.turn(this.time.serverMs(), new Set(quotes));
  }

  /** Adds a symbol, or changes the fields given of one that is there. 0, or the code that refuses it. */
  configureSymbol(given: WireRecord): number {
    const { books } = this.world;
    const name = textOf(given, 'Symbol');
    const before = books.symbols.get(name);
    const record = { ...(before?.record ?? symbolDefaults()), ...given };
    if (textOf(record, 'Path') === '') record['Path'] = name;
    const symbol = symbolFromRecord(record);
    if (symbol.digits < 0 || symbol.digits > 8 || symbol.contractSize <= 0 || symbol.volumeStep <= 0)
      return INVALID_PARAMETERS;
    // Prices and volumes of what is traded are counted in these.
    const traded = books.positions.inSymbol(name).size + books.orders.inSymbol(name).size > 0;
    const units = ['digits', 'contractSize', 'profitCurrency', 'profitDigits', 'tickSize', 'tickValue'] as const;
    if (traded && units.some((unit) => before?.[unit] !== symbol[unit])) return TRADES_IN_SYMBOL;
    books.symbols.set(name, symbol);
    this.symbolsChanged();
    return 0;
  }

  /** Gives the symbols of the catalogue other trading hours. */
  #setHours(hours: TradingHours): void {
    this.#hours = hours;
    for (const { Symbol: name, SessionsQuotes: quotes, SessionsTrades: trades } of catalogRecords(hours)) {
      if (typeof name !== 'string' || !this.world.books.symbols.has(name)) continue;
      this.configureSymbol({ Symbol: name, SessionsQuotes: quotes ?? [], SessionsTrades: trades ?? [] });
    }
  }

  symbolsChanged(): void {
    this.world.books.configVersion += 1;
    this.world.market.setSymbols(this.world.books.symbols.values(), this.time.serverMs());
  }

  /** A new client with an empty account. */
  openAccount(login: number, group: string, leverage: number): User {
    const user = newUser(login, group, leverage);
    this.world.books.users.set(login, user);
    this.world.books.version += 1;
    return user;
  }

  /** Everything, for comparing. */
  books(): object {
    return booksJson(this.world.books, this.world.accounts);
  }

  /** What in the books does not follow from the deals, to the smallest unit; empty when they balance. */
  verifyBooks(): readonly string[] {
    return verifyBooks(this.world.books, this.world.accounts);
  }

  /** Dealer requests that this connection asked for are forgotten. */
  connectionLost(connectionId: number): void {
    this.world.dealers.connectionLost(connectionId);
    this.bookSubscriptions.delete(connectionId);
  }
}
