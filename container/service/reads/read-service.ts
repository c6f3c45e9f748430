import * as accountRoutes from '../../contract/routes/accounts.ts';
import { getExposure } from '../../contract/routes/exposure.ts';
import * as marketRoutes from '../../contract/routes/market.ts';
import * as serverRoutes from '../../contract/routes/server.ts';
import * as tradeRoutes from '../../contract/routes/trade-data.ts';
import type { BrokerClockSettings } from '../../webapi/time.ts';
import { About } from './about.ts';
import { Accounts } from './accounts.ts';
import { Breather } from '../broker/breathe.ts';
import { ClockSource } from '../broker/broker-clock.ts';
import { Broker } from '../broker/broker.ts';
import type { BrokerOptions } from '../broker/broker.ts';
import { Calculations } from './calculations.ts';
import { DailyReports } from './daily-reports.ts';
import { FlatAccounts } from '../broker/flat-accounts.ts';
import { aboutGroup } from '../broker/groups.ts';
import { ManyRows } from '../broker/many-rows.ts';
import { PageReader } from '../broker/pages.ts';
import { rfc3339 } from '../../webapi/time.ts';
import { handle } from '../handler.ts';
import type { HandlersOf, Keep, RouteAnswer, RouteContext } from '../handler.ts';
import { Market } from './market.ts';
import { PriceHistory } from './price-history.ts';
import { ExposureReader } from './exposure.ts';
import { Statements } from './statements.ts';
import { TradeData, type ReadPage } from './trade-data.ts';
import { TradingHours } from './trading-hours.ts';

export interface ReadServiceOptions extends BrokerOptions {
  readonly serverBuild: () => Promise<string | null>;
  /** Questions about many accounts that are on their way at one time. */
  readonly atOnce: number;
  /** A write is under way: what is long gives way to it. */
  readonly isWriting: () => boolean;
  /** What the next process should take for the broker's clock; null = nothing. */
  readonly keepClock?: (clock: BrokerClockSettings | null) => void;
}

type CalculationRoute =
  | typeof tradeRoutes.checkMargin
  | typeof tradeRoutes.calculateProfit
  | typeof tradeRoutes.getRate;
type TradeDataRoute = (typeof tradeRoutes.tradeDataRoutes)[number];
type ReadRoute =
  | typeof serverRoutes.getServer
  | (typeof accountRoutes.accountRoutes)[number]
  | (typeof marketRoutes.marketRoutes)[number]
  | TradeDataRoute
  | typeof getExposure;

/** Everything that reads: the objects, for other services, and the handlers of their routes. */
export interface ReadService {
  readonly broker: Broker;
  readonly clock: ClockSource;
  readonly accounts: Accounts;
  readonly market: Market;
  readonly tradeData: TradeData;
  readonly days: DailyReports;
  readonly exposure: ExposureReader;
  readonly many: ManyRows;
  readonly handlers: HandlersOf<ReadRoute>;
}

const fresh = <T>({ value, ...rest }: { value: T; freshForMs: number; keep?: Keep }): RouteAnswer<T> => ({
  body: value,
  ...rest,
});
const body = <T>(value: T): RouteAnswer<T> => ({ body: value });

/** Every row as it comes; `readAtMs` is when the broker was first asked. */
const lines = <Item extends object>(
  rows: AsyncIterable<readonly Item[]>,
  readAtMs: number,
): RouteAnswer<ReadPage<Item>> => ({
  body: { items: [], nextCursor: null, readAt: rfc3339(readAtMs), readAtMs },
  rows,
});

/** One question of many may take so long; the whole takes as long as its reader does. */
const QUESTION_MS = 30_000;
const unhurried = (context: RouteContext, now: () => number): RouteContext => ({
  ...context,
  get deadlineAtMs() {
    return now() + QUESTION_MS;
  },
});

/** What the handlers of the reads are made of. */
interface Parts {
  readonly broker: Broker;
  readonly accounts: Accounts;
  readonly market: Market;
  readonly tradeData: TradeData;
  readonly exposure: ExposureReader;
  readonly history: PriceHistory;
  readonly hours: TradingHours;
  readonly days: DailyReports;
  readonly statements: Statements;
  readonly calculations: Calculations;
  readonly now: () => number;
}

export function createReadService(options: ReadServiceOptions): ReadService {
  const { now } = options;
  const broker = new Broker(options);
  const clock = new ClockSource(broker, now, options.keepClock);
  const pages = new PageReader(broker);
  const flat = new FlatAccounts(broker, clock, now);
  const many = new ManyRows({ broker, pages, flat, atOnce: options.atOnce, breather: new Breather(options.isWriting) });
  const accounts = new Accounts({ broker, clock, many, now });
  const market = new Market(broker, clock);
  const tradeData = new TradeData({ broker, clock, pages, many, now });
  const exposure = new ExposureReader(broker, many, now);
  const history = new PriceHistory(broker, clock, now);
  const calculations = new Calculations(broker, clock, market);
  const about = new About(broker, clock, options.serverBuild);
  const hours = new TradingHours({ broker, clock, now });
  const days = new DailyReports({ broker, clock, many, now });
  const statements = new Statements({ accounts, tradeData, now });
  const parts: Parts = {
    broker,
    accounts,
    market,
    tradeData,
    exposure,
    history,
    hours,
    days,
    statements,
    calculations,
    now,
  };
  const handlers: HandlersOf<ReadRoute> = {
    ...handle(serverRoutes.getServer, async (_input, context) => fresh(await about.server(context))),
    ...accountHandlers(parts),
    ...marketHandlers(parts),
    ...tradeHandlers(parts),
    ...calculationHandlers(parts),
  };
  return { broker, clock, accounts, market, tradeData, days, exposure, many, handlers };
}

const accountHandlers = ({
  accounts,
  days,
  statements,
  now,
}: Parts): HandlersOf<(typeof accountRoutes.accountRoutes)[number]> => ({
  ...handle(accountRoutes.listAccounts, async ({ query }, context) =>
    context.takesWhole
      ? lines(accounts.everyAccount(query, unhurried(context, now)), now())
      : body(await accounts.accounts(query, query, context)),
  ),
  ...handle(accountRoutes.getAccount, async ({ params }, context) =>
    body(await accounts.account(params.login, context)),
  ),
  ...handle(accountRoutes.getMoney, async ({ params }, context) => body(await accounts.money(params.login, context))),
  ...handle(accountRoutes.listLogins, async ({ query }, context) =>
    body(await accounts.logins(query.group, query, context)),
  ),
  ...handle(accountRoutes.listDailyReports, async ({ params, query }, context) =>
    body(await days.ofLogin(params.login, query, context)),
  ),
  ...handle(accountRoutes.listDailyReportsOfMany, async ({ query }, context) =>
    context.takesWhole
      ? lines(days.everyReport(query, query, unhurried(context, now)), now())
      : body(await days.ofMany(query, query, context)),
  ),
  ...handle(accountRoutes.getStatement, async ({ params, query }, context) =>
    body(await statements.of(params.login, query, context)),
  ),
  ...handle(accountRoutes.listGroups, async ({ query }, context) =>
    fresh(await accounts.groups(query.mask, query, context)),
  ),
  ...handle(accountRoutes.getGroup, async ({ params }, context) => fresh(await accounts.group(params.group, context))),
});

const marketHandlers = ({
  broker,
  market,
  history,
  hours,
}: Parts): HandlersOf<(typeof marketRoutes.marketRoutes)[number]> => ({
  ...handle(marketRoutes.listSymbols, async ({ query }, context) =>
    fresh(await market.symbols(query.mask, query, context)),
  ),
  ...handle(marketRoutes.getSymbol, async ({ params, query }, context) =>
    fresh(await aboutGroup(broker, query.group, context, () => market.symbol(params.symbol, query.group, context))),
  ),
  ...handle(marketRoutes.getSymbolHours, async ({ params, query }, context) =>
    body(await hours.of(params.symbol, query, context)),
  ),
  ...handle(marketRoutes.getBook, async ({ params }, context) => body(await market.book(params.symbol, context))),
  ...handle(marketRoutes.listTicks, async ({ params, query }, context) =>
    body(await history.ticks({ ...query, symbol: params.symbol }, context)),
  ),
  ...handle(marketRoutes.listQuotes, async ({ query }, context) =>
    body(await aboutGroup(broker, query.group, context, () => market.quotes(query.symbols, query.group, context))),
  ),
  ...handle(marketRoutes.listQuoteStatistics, async ({ query }, context) =>
    body(await market.statistics(query.symbols, context)),
  ),
  ...handle(marketRoutes.listCandles, async ({ query }, context) =>
    body(await history.candles(query.timeframe, query, context)),
  ),
});

const tradeHandlers = ({
  tradeData,
  exposure,
  now,
}: Parts): HandlersOf<Exclude<TradeDataRoute, CalculationRoute> | typeof getExposure> => ({
  ...handle(getExposure, async ({ query }, context) => body(await exposure.of(query, context))),
  ...handle(tradeRoutes.listAccountPositions, async ({ params, query }, context) =>
    body(await tradeData.positions(params.login, query, context)),
  ),
  ...handle(tradeRoutes.listAccountOrders, async ({ params, query }, context) =>
    body(await tradeData.orders(params.login, query, context)),
  ),
  ...handle(tradeRoutes.listAccountOrderHistory, async ({ params, query }, context) =>
    body(await tradeData.history(params.login, query, context)),
  ),
  ...handle(tradeRoutes.listAccountDeals, async ({ params, query }, context) =>
    body(await tradeData.deals(params.login, query, context)),
  ),
  ...handle(tradeRoutes.listPositions, async ({ query }, context) =>
    context.takesWhole
      ? lines(tradeData.everyPosition(query, query, unhurried(context, now)), now())
      : body(await tradeData.positionsOfMany(query, query, context)),
  ),
  ...handle(tradeRoutes.listOrders, async ({ query }, context) =>
    body(await tradeData.ordersOfMany(query, query, context)),
  ),
  ...handle(tradeRoutes.listOrderHistory, async ({ query }, context) =>
    body(await tradeData.historyOfMany(query, query, context)),
  ),
  ...handle(tradeRoutes.listDeals, async ({ query }, context) => {
    if (!context.takesWhole) return body(await tradeData.dealsOfMany(query, query, context));
    const every = lines(tradeData.everyDeal(query, query, unhurried(context, now)), now());
    return { ...every, body: { ...every.body, resumeCursor: null } };
  }),
  ...handle(tradeRoutes.getPosition, async ({ params }, context) =>
    body(await tradeData.position(params.ticket, context)),
  ),
  ...handle(tradeRoutes.getOrder, async ({ params }, context) => body(await tradeData.order(params.ticket, context))),
  ...handle(tradeRoutes.getHistoryOrder, async ({ params }, context) =>
    body(await tradeData.historyOrder(params.ticket, context)),
  ),
  ...handle(tradeRoutes.getDeal, async ({ params }, context) => body(await tradeData.deal(params.ticket, context))),
});

const calculationHandlers = ({ broker, calculations, now }: Parts): HandlersOf<CalculationRoute> => ({
  ...handle(tradeRoutes.checkMargin, async ({ params, query }, context) =>
    body(await calculations.margin(params.login, query, context)),
  ),
  ...handle(tradeRoutes.calculateProfit, async ({ query }, context) =>
    body(await aboutGroup(broker, query.group, context, () => calculations.profit(query, context))),
  ),
  ...handle(tradeRoutes.getRate, async ({ query }, context) =>
    body({
      base: query.base,
      currency: query.currency,
      rate: await aboutGroup(broker, query.group, context, () => calculations.rate(query, context)),
      calculatedAtMs: now(),
    }),
  ),
});
