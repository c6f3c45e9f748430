/** Daily reports. */
import { DAY_MS, fileTime } from '../broker/calendar.ts';
import { dailyReports, type DailyReport, type HeldPosition } from '../broker/daily.ts';
import { decimal, share } from '../broker/money.ts';
import type { User } from '../broker/records.ts';
import { done, refused, type Command, type CommandReply, type CommandRequest } from '../command.ts';
import { bothVolumes } from './render-trades.ts';
import { isRefusal, RETCODE, userOf, usersAsked } from './scope.ts';

/** The short form: who, and the figures at the end of the day. */
function light(report: DailyReport, user: User, request: CommandRequest): Record<string, unknown> {
  const group = request.broker.world.books.groupOf(user);
  const money = (value: number): string => decimal(value, group.currencyDigits);
  const endMs = report.dayMs + DAY_MS - 1000;
  const equity = report.balance + report.credit + report.profit + report.storage;
  return {
    Timestamp: fileTime(endMs),
    Datetime: Math.floor(endMs / 1000),
    DatetimePrev: Math.floor((endMs - DAY_MS) / 1000),
    Login: user.login,
    Name: user.fields['Name'],
    Group: user.group,
    Currency: group.currency,
    CurrencyDigits: group.currencyDigits,
    Company: group.company,
    EMail: user.fields['Email'],
    Balance: money(report.balance),
    Credit: money(report.credit),
    ProfitEquity: money(equity),
  };
}

function heldPosition(position: HeldPosition, money: (value: number) => string): Record<string, unknown> {
  const { opened } = position;
  const price = (value: number): string => decimal(value, opened.digits);
  return {
    Position: position.ticket,
    Login: opened.login,
    Symbol: position.symbol,
    Action: position.action,
    Digits: opened.digits,
    TimeCreate: Math.floor(opened.timeMsc / 1000),
    PriceOpen: price(position.priceOpen),
    PriceCurrent: price(position.priceCurrent),
    ...bothVolumes('Volume', position.volume),
    Profit: money(position.profit),
    Storage: money(position.storage),
    Comment: opened.comment,
  };
}

function full(report: DailyReport, user: User, request: CommandRequest): Record<string, unknown> {
  const group = request.broker.world.books.groupOf(user);
  const money = (value: number): string => decimal(value, group.currencyDigits);
  const { sums } = report;
  const equity = report.balance + report.credit + report.profit + report.storage;
  const zero = money(0);
  return {
    ...light(report, user, request),
    InterestRate: user.fields['InterestRate'],
    CommissionDaily: zero,
    CommissionMonthly: zero,
    AgentDaily: zero,
    AgentMonthly: zero,
    BalancePrevDay: money(report.balancePrevDay),
    BalancePrevMonth: money(report.balancePrevMonth),
    EquityPrevDay: money(report.equityPrevDay),
    EquityPrevMonth: money(report.equityPrevMonth),
    Margin: money(report.margin),
    MarginFree: money(equity - report.margin),
    MarginLevel: decimal(report.margin === 0 ? 0 : share(equity, 10_000, report.margin), 2),
    MarginLeverage: user.leverage,
    Profit: money(report.profit),
    ProfitStorage: money(report.storage),
    ProfitAssets: zero,
    ProfitLiabilities: zero,
    DailyProfit: money(sums.profit),
    DailyBalance: money(sums.balance),
    DailyCredit: money(sums.credit),
    DailyCharge: money(sums.charge),
    DailyCorrection: money(sums.correction),
    DailyBonus: money(sums.bonus),
    DailyStorage: money(sums.storage),
    DailyCommInstant: money(sums.commission),
    DailyCommFee: zero,
    DailyCommRound: zero,
    DailyAgent: zero,
    DailyInterest: zero,
    DailyDividend: zero,
    DailyTaxes: zero,
    DailySOCompensation: zero,
    Orders: [],
    Positions: report.positions.map((position) => heldPosition(position, money)),
  };
}

type Render = typeof light;

function reportsOf(request: CommandRequest, users: readonly User[], render: Render): CommandReply {
  const from = request.parameters.integer('from');
  const to = request.parameters.integer('to');
  if (from === undefined || to === undefined || Number.isNaN(from) || Number.isNaN(to) || from > to)
    return refused(RETCODE.params);
  const { broker, switches } = request;
  const rows: { readonly report: DailyReport; readonly user: User }[] = [];
  for (const user of users) {
    // One more than an answer may hold is enough to know that there are more.
    const room = request.switches.mostObjects + 1 - rows.length;
    if (room <= 0) break;
    const period = { fromMs: from * 1000, toMs: to * 1000, nowMs: broker.time.serverMs(), most: room };
    for (const report of dailyReports(broker.world, user, period)) rows.push({ report, user });
  }
  if (rows.length === 0 && switches.emptyResult === '13') return refused(RETCODE.notFound);
  const answer = rows.slice(0, request.switches.mostObjects).map(({ report, user }) => render(report, user, request));
  return rows.length > request.switches.mostObjects ? { retcode: RETCODE.partial, answer } : done(answer);
}

const ofLogin = (render: Render): Command['run'] => {
  return (request) => {
    const user = userOf(request, request.parameters.integer('login'));
    return isRefusal(user) ? user : reportsOf(request, [user], render);
  };
};

const ofMany: Command['run'] = (request) => {
  const users = usersAsked(request);
  return isRefusal(users) ? users : reportsOf(request, users, full);
};

const READ = ['RIGHT_REPORTS'] as const;

export const dailyCommands: readonly Command[] = [
  { path: 'daily/get', rights: READ, run: ofLogin(full) },
  { path: 'daily/get_light', rights: READ, run: ofLogin(light) },
  { path: 'daily/get_batch', rights: READ, run: ofMany },
];
