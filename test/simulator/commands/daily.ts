/** Daily reports. */
import { DAY_MS, fileTime } from '../broker/calendar.ts';
import { dailyReports, type DailyReport } from '../broker/daily.ts';
import { decimal } from '../broker/money.ts';
import type { User } from '../broker/records.ts';
import { done, refused, type Command, type CommandReply, type CommandRequest } from '../command.ts';
import { isRefusal, MOST_OBJECTS, RETCODE, userOf, usersAsked } from './scope.ts';

/** The short form: who, and the figures at the end of the day. */
function light(report: DailyReport, user: User, request: CommandRequest): Record<string, unknown> {
  const group = request.broker.world.books.groupOf(user);
  const money = (value: number): string => decimal(value, group.currencyDigits);
  const endMs = report.dayMs + DAY_MS - 1000;
  const equity = report.balance + report.credit;
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

function full(report: DailyReport, user: User, request: CommandRequest): Record<string, unknown> {
  const group = request.broker.world.books.groupOf(user);
  const money = (value: number): string => decimal(value, group.currencyDigits);
  const { sums } = report;
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
    EquityPrevDay: money(report.balancePrevDay + report.creditPrevDay),
    EquityPrevMonth: money(report.balancePrevMonth),
    Margin: zero,
    MarginFree: money(report.balance + report.credit),
    MarginLevel: '0.00',
    MarginLeverage: user.leverage,
    Profit: zero,
    ProfitStorage: zero,
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
    Positions: [],
  };
}

type Render = typeof light;

function reportsOf(request: CommandRequest, users: readonly User[], render: Render): CommandReply {
  const from = request.parameters.integer('from');
  const to = request.parameters.integer('to');
  if (from === undefined || to === undefined || Number.isNaN(from) || Number.isNaN(to) || from > to)
    return refused(RETCODE.params);
  const { broker, switches } = request;
  const rows = users.flatMap((user) =>
    dailyReports(broker.world.books.deals.of(user.login), from * 1000, to * 1000, broker.time.serverMs()).map(
      (report) => ({ report, user }),
    ),
  );
  if (rows.length === 0 && switches.emptyResult === '13') return refused(RETCODE.notFound);
  const answer = rows.slice(0, MOST_OBJECTS).map(({ report, user }) => render(report, user, request));
  return rows.length > MOST_OBJECTS ? { retcode: RETCODE.partial, answer } : done(answer);
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
