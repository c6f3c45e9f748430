import { z } from 'zod';
import {
  FREE_MARGIN_MODE,
  GROUP_TRADE_FLAGS,
  HISTORY_LIMIT,
  MARGIN_MODE,
  STOP_OUT_ACTIVATION,
  STOP_OUT_MODE,
  USER_RIGHTS,
} from './enums.ts';
import type { ObjectOf } from './object.ts';
import {
  amount,
  apiData,
  defineObject,
  flagNames,
  instant,
  integer,
  login,
  name,
  named,
  objects,
  raw,
  text,
} from './object.ts';
import { deal, order, position } from './trade.ts';
import { decimal, instantMsOut, instantOut, loginOut } from './values.ts';

/** Accounts, groups and daily reports (mt5-webapi §3.2, §3.3, §3.8). */

/** MT5's *user*: who the account belongs to and what it may do. */
export const user = defineObject(
  'User',
  {
    login: login('Login'),
    group: name('Group'),
    ...flagNames('rights', USER_RIGHTS, 'Rights'),
    name: text('Name'),
    firstName: text('FirstName'),
    lastName: text('LastName'),
    middleName: text('MiddleName'),
    company: text('Company'),
    externalAccount: text('Account'),
    country: text('Country'),
    language: integer('Language'),
    clientId: text('ClientID'),
    city: text('City'),
    state: text('State'),
    zipCode: text('ZipCode'),
    address: text('Address'),
    phone: text('Phone'),
    email: text('Email'),
    documentId: text('ID'),
    status: text('Status'),
    comment: text('Comment'),
    currencyDigits: integer('CurrencyDigits'),
    color: integer('Color'),
    leverage: integer('Leverage'),
    agent: integer('Agent'),
    limitOrders: integer('LimitOrders'),
    limitPositions: integer('LimitPositions'),
    ...instant('registered', 'Registration'),
    ...instant('lastAccess', 'LastAccess'),
    ...instant('passwordChanged', 'LastPassChange'),
    lastIp: text('LastIP'),
    mqid: text('MQID'),
    certificateSerial: text('CertSerialNumber'),
    balance: amount('Balance'),
    credit: amount('Credit'),
    interestRate: amount('InterestRate'),
    commissionDaily: amount('CommissionDaily'),
    commissionMonthly: amount('CommissionMonthly'),
    commissionAgentDaily: amount('CommissionAgentDaily'),
    commissionAgentMonthly: amount('CommissionAgentMonthly'),
    balancePreviousDay: amount('BalancePrevDay'),
    balancePreviousMonth: amount('BalancePrevMonth'),
    equityPreviousDay: amount('EquityPrevDay'),
    equityPreviousMonth: amount('EquityPrevMonth'),
    tradeAccounts: text('TradeAccounts'),
    leadSource: text('LeadSource'),
    leadCampaign: text('LeadCampaign'),
    apiData: apiData(),
  },
  ['PhonePassword', 'PassMain', 'PassInvestor', 'OTPSecret'],
);
export type User = ObjectOf<typeof user>;

/** MT5's *account*: the money of a login at this moment. */
export const money = defineObject('Money', {
  login: login('Login'),
  currencyDigits: integer('CurrencyDigits'),
  balance: amount('Balance'),
  credit: amount('Credit'),
  equity: amount('Equity'),
  margin: amount('Margin'),
  marginFree: amount('MarginFree'),
  marginLevel: amount('MarginLevel'),
  marginLeverage: integer('MarginLeverage'),
  marginInitial: amount('MarginInitial'),
  marginMaintenance: amount('MarginMaintenance'),
  profit: amount('Profit'),
  storage: amount('Storage'),
  commission: amount('Commission'),
  floating: amount('Floating'),
  ...named('stopOut', STOP_OUT_ACTIVATION, 'SOActivation'),
  ...instant('stopOut', 'SOTime'),
  stopOutLevel: amount('SOLevel'),
  stopOutEquity: amount('SOEquity'),
  stopOutMargin: amount('SOMargin'),
  assets: amount('Assets'),
  liabilities: amount('Liabilities'),
  blockedCommission: amount('BlockedCommission'),
  blockedProfit: amount('BlockedProfit'),
});
export type Money = ObjectOf<typeof money>;

export const group = defineObject(
  'Group',
  {
    group: name('Group'),
    server: integer('Server'),
    company: text('Company'),
    companyPage: text('CompanyPage'),
    companyEmail: text('CompanyEmail'),
    currency: text('Currency'),
    currencyDigits: integer('CurrencyDigits'),
    ...named('marginMode', MARGIN_MODE, 'MarginMode'),
    ...named('stopOutMode', STOP_OUT_MODE, 'MarginSOMode'),
    ...named('freeMarginMode', FREE_MARGIN_MODE, 'MarginFreeMode'),
    marginCall: amount('MarginCall'),
    marginStopOut: amount('MarginStopOut'),
    ...flagNames('tradeFlags', GROUP_TRADE_FLAGS, 'TradeFlags'),
    interestRate: amount('TradeInterestrate'),
    virtualCredit: amount('TradeVirtualCredit'),
    demoLeverage: integer('DemoLeverage'),
    demoDeposit: amount('DemoDeposit'),
    ...named('historyLimit', HISTORY_LIMIT, 'LimitHistory'),
    limitOrders: integer('LimitOrders'),
    limitSymbols: integer('LimitSymbols'),
    limitPositions: integer('LimitPositions'),
    permissions: integer('PermissionsFlags'),
    passwordMinLength: integer('AuthPasswordMin'),
    commissions: raw('Commissions'),
    symbols: raw('Symbols'),
  },
  ['ReportsSMTPPass', 'ReportsSMTPLogin'],
);
export type Group = ObjectOf<typeof group>;

const { currency, marginMode, marginModeCode, marginCall, marginStopOut, stopOutMode, stopOutModeCode } =
  group.schema.shape;
/** What an account has from its group; all `null` where this manager may not see the group. */
const accountTerms = z.object({
  currency: currency.meta({ description: 'Of the account’s money. MT5 `Currency` of the group.' }),
  positionMode: z
    .enum(['hedging', 'netting'])
    .nullable()
    .meta({ description: '`hedging`: several positions of one symbol; `netting`: one. From MT5 `MarginMode`.' }),
  marginMode,
  marginModeCode,
  marginCall: marginCall.meta({
    description: 'Margin level, or equity, of the margin call: see `stopOutMode`. MT5 `MarginCall`.',
  }),
  marginStopOut: marginStopOut.meta({
    description: 'Margin level, or equity, at which positions are closed: see `stopOutMode`. MT5 `MarginStopOut`.',
  }),
  stopOutMode: stopOutMode.meta({ description: 'Whether the two are percent or money. MT5 `MarginSOMode`.' }),
  stopOutModeCode,
});
export type AccountTerms = z.output<typeof accountTerms>;

/** A user with its money and what it has from its group: what people mean by an account. */
export const account = z
  .object({ ...user.schema.shape, ...accountTerms.shape, money: money.schema.nullable() })
  .meta({ id: 'Account', description: 'The account; `money` is its state now, `null` where the broker keeps none.' });
export type Account = z.output<typeof account>;

/** The account at the end of a server day. */
export const dailyReport = defineObject('DailyReport', {
  login: login('Login'),
  ...instant('report', 'Datetime', 'Timestamp'),
  ...instant('previousReport', 'DatetimePrev'),
  name: text('Name'),
  group: text('Group'),
  currency: text('Currency'),
  currencyDigits: integer('CurrencyDigits'),
  company: text('Company'),
  email: text('EMail', 'Email'),
  balance: amount('Balance'),
  credit: amount('Credit'),
  equity: amount('ProfitEquity', 'Equity'),
  margin: amount('Margin'),
  marginFree: amount('MarginFree'),
  marginLevel: amount('MarginLevel'),
  profit: amount('Profit'),
  storage: amount('ProfitStorage', 'Storage'),
  commission: amount('Commission'),
  interestRate: amount('InterestRate'),
  commissionDaily: amount('CommissionDaily'),
  commissionMonthly: amount('CommissionMonthly'),
  agentDaily: amount('AgentDaily'),
  agentMonthly: amount('AgentMonthly'),
  balancePreviousDay: amount('BalancePrevDay'),
  balancePreviousMonth: amount('BalancePrevMonth'),
  equityPreviousDay: amount('EquityPrevDay'),
  equityPreviousMonth: amount('EquityPrevMonth'),
  marginLeverage: integer('MarginLeverage'),
  assets: amount('ProfitAssets'),
  liabilities: amount('ProfitLiabilities'),
  dayProfit: amount('DailyProfit'),
  dayBalance: amount('DailyBalance'),
  dayCredit: amount('DailyCredit'),
  dayCharge: amount('DailyCharge'),
  dayCorrection: amount('DailyCorrection'),
  dayBonus: amount('DailyBonus'),
  dayStorage: amount('DailyStorage'),
  dayCommission: amount('DailyCommInstant'),
  dayCommissionRound: amount('DailyCommRound'),
  dayFee: amount('DailyCommFee'),
  dayAgent: amount('DailyAgent'),
  dayInterest: amount('DailyInterest'),
  dayDividend: amount('DailyDividend'),
  dayTaxes: amount('DailyTaxes'),
  daySoCompensation: amount('DailySOCompensation'),
  daySoCompensationCredit: amount('DailySOCompensationCredit'),
  positions: objects(position, 'Positions'),
  orders: objects(order, 'Orders'),
});
export type DailyReport = ObjectOf<typeof dailyReport>;

const sum = (description: string) => decimal.meta({ ...decimal.meta(), description });

/** What happened on an account in a stretch of time. */
export const statement = z
  .object({
    login: loginOut,
    name: z.string().nullable(),
    group: z.string(),
    currency: z.string().nullable(),
    currencyDigits: z.int().nullable(),
    leverage: z.int().nullable(),
    from: instantOut,
    fromMs: instantMsOut,
    to: instantOut,
    toMs: instantMsOut,
    openingBalance: decimal
      .nullable()
      .meta({ description: 'The balance now, less what deals since `from` made of it.' }),
    closingBalance: decimal.nullable().meta({ description: 'The balance now, less what deals since `to` made of it.' }),
    totals: z.object({
      trades: z.int().meta({ description: 'Deals that closed something.' }),
      profit: sum('Of trades.'),
      storage: sum('Swaps.'),
      commission: sum('Of deals, with deals of commission.'),
      fee: sum('Of deals.'),
      deposits: sum('Balance operations above 0.'),
      withdrawals: sum('Balance operations below 0.'),
      credit: sum('Credit given less credit taken; not part of the balance.'),
      other: sum('Charges, corrections, bonuses, interest and the like.'),
    }),
    items: z.array(deal.schema).meta({ description: 'Deals, by time.' }),
    positions: z.array(position.schema).meta({ description: 'Open now.' }),
    orders: z.array(order.schema).meta({ description: 'Open now.' }),
    money: money.schema.nullable().meta({ description: 'Now.' }),
  })
  .meta({ id: 'Statement' });
export type Statement = z.output<typeof statement>;
