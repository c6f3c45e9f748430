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
import { amount, apiData, defineObject, flagNames, instant, integer, login, name, named, raw, text } from './object.ts';

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

/** A user with its money: what people mean by an account. */
export const account = z
  .object({ ...user.schema.shape, money: money.schema.nullable() })
  .meta({ id: 'Account', description: 'The account; `money` is its state now, `null` where the broker keeps none.' });
export type Account = z.output<typeof account>;

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
  positions: raw('Positions'),
  orders: raw('Orders'),
});
export type DailyReport = ObjectOf<typeof dailyReport>;
