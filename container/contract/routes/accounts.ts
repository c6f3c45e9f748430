import { z } from 'zod';
import { noParams, noQuery } from '../route.ts';
import { account, dailyReport, group, money, statement } from '../schemas/account.ts';
import {
  decimalIn,
  groupIn,
  groupMaskIn,
  listOf,
  loginOut,
  positiveDecimalIn,
  readListOf,
  soughtIn,
} from '../schemas/values.ts';
import { defineLoginRead, defineManyRead, defineRead, LINES, ofMany, page, who, window, windowed } from './read.ts';

const tag = 'Accounts';

export const listAccounts = defineManyRead({
  id: 'listAccounts',
  path: '/v1/accounts',
  tag,
  summary:
    'Accounts of a group mask or by login, ascending, each with its money; searched by name, e-mail, phone, external account and comment',
  description: LINES,
  lines: true,
  query: ofMany({
    ...who,
    marginLevelBelow: positiveDecimalIn
      .optional()
      .meta({ description: 'Only accounts that use margin and whose level, in percent, is below.' }),
    name: soughtIn.optional().meta({ description: 'Only accounts whose name holds this text, in any case.' }),
    email: soughtIn.optional().meta({ description: 'The same of the e-mail address.' }),
    phone: soughtIn.optional().meta({ description: 'The same of the phone number, by its digits alone.' }),
    externalAccount: soughtIn.optional().meta({ description: 'The same of the account in an external system.' }),
    comment: soughtIn.optional().meta({ description: 'The same of the comment.' }),
    equityBelow: decimalIn.optional().meta({ description: 'Only accounts whose equity is below: `0` = in debt.' }),
    ...page(),
  }),
  answer: readListOf(account),
  example: { query: { group: 'real\\*', limit: '5' } },
});

export const getAccount = defineLoginRead({
  id: 'getAccount',
  path: '/v1/accounts/{login}',
  tag,
  summary: 'One account with its money',
  query: noQuery,
  answer: account,
  example: { params: { login: '1001' } },
});

export const getMoney = defineLoginRead({
  id: 'getMoney',
  path: '/v1/accounts/{login}/money',
  tag,
  summary: 'Balance, equity and margin of one account',
  query: noQuery,
  answer: money.schema,
  example: { params: { login: '1001' } },
});

export const listLogins = defineRead({
  id: 'listLogins',
  conditional: true,
  path: '/v1/logins',
  tag,
  summary: 'Logins of a group mask, ascending',
  params: noParams,
  query: z.strictObject({ group: groupMaskIn, ...page(1000, 10_000) }),
  answer: listOf(loginOut),
  example: { query: { group: '*', limit: '10' } },
});

export const listDailyReports = defineLoginRead({
  id: 'listDailyReports',
  conditional: true,
  path: '/v1/accounts/{login}/daily-reports',
  tag,
  summary: 'The account at the end of each server day; the last 31 days unless asked otherwise',
  query: windowed({ ...window, ...page() }),
  answer: listOf(dailyReport.schema),
  example: { params: { login: '1001' }, query: { limit: '5' } },
});

export const listDailyReportsOfMany = defineManyRead({
  id: 'listDailyReportsOfMany',
  conditional: true,
  path: '/v1/daily-reports',
  tag,
  summary:
    'The same of a group mask or of many accounts, by login; the last two days unless asked otherwise, 31 at most',
  description: LINES,
  lines: true,
  query: ofMany({ ...who, ...window, ...page() }),
  answer: readListOf(dailyReport.schema),
  example: { query: { group: 'demo\\forex', limit: '2' } },
});

export const getStatement = defineLoginRead({
  id: 'getStatement',
  path: '/v1/accounts/{login}/statement',
  tag,
  summary:
    'Statement of an account: its deals, what they sum up to, and what is open; the last 31 days unless asked otherwise',
  description:
    'With `Accept: text/csv` its deals as a table, with `Accept: text/html` a page to print. At most 20,000 deals.',
  query: windowed(window),
  answer: statement,
  page: true,
  example: { params: { login: '1001' } },
});

export const listGroups = defineRead({
  id: 'listGroups',
  wide: true,
  path: '/v1/groups',
  tag: 'Groups',
  summary: 'Groups of a mask, by name',
  params: noParams,
  query: z.strictObject({ mask: groupMaskIn.default('*'), ...page() }),
  answer: listOf(group.schema),
  cacheable: 'groups',
  example: { query: { mask: 'real\\*' } },
});

export const getGroup = defineRead({
  id: 'getGroup',
  wide: true,
  path: '/v1/groups/{group}',
  tag: 'Groups',
  summary: 'One group: currency, margin and stop-out, commissions, symbols',
  params: z.strictObject({ group: groupIn }),
  query: noQuery,
  answer: group.schema,
  cacheable: 'groups',
  example: { params: { group: 'demo\\forex' } },
});

export const accountRoutes = [
  listAccounts,
  getAccount,
  getMoney,
  listLogins,
  listDailyReports,
  listDailyReportsOfMany,
  getStatement,
  listGroups,
  getGroup,
] as const;
