import { z } from 'zod';
import { defineRoute, noParams, noQuery } from '../route.ts';
import { dryRunAnswer, dryRunQuery, operation, ownWords, ownWordsFit, passwordBody } from '../schemas/operation.ts';
import { user } from '../schemas/account.ts';
import { SETTABLE_RIGHTS, type SettableRight } from '../schemas/enums.ts';
import { deal } from '../schemas/trade.ts';
import { decimalBody, groupIn, loginBody, ticketOut } from '../schemas/values.ts';
import { loginParams } from './read.ts';

/** Money and accounts: scope `manage`, one operation of the ledger each. */

const ofLogin = ({ params }: { params: { login: number } }): readonly number[] => [params.login];

/** MT5's balance operations (mt5-webapi §3.7). */
const BALANCE_KINDS = ['balance', 'credit', 'charge', 'correction', 'bonus'] as const;

const balanceAnswer = z
  .object({
    operation: operation.optional(),
    deal: ticketOut.nullable().optional(),
    deals: z.array(deal.schema).optional(),
    dryRun: dryRunAnswer.optional(),
  })
  .meta({ id: 'BalanceAnswer' });

export const changeBalance = defineRoute({
  id: 'changeBalance',
  method: 'POST',
  path: '/v1/accounts/{login}/balance',
  tag: 'Money',
  summary: 'Deposit, withdraw, credit, charge, correct or reward',
  description: 'A negative amount takes money away; the broker checks that the margin allows it.',
  scope: 'manage',
  write: true,
  params: loginParams,
  query: dryRunQuery,
  body: z
    .strictObject({
      kind: z.enum(BALANCE_KINDS, `expected one of ${BALANCE_KINDS.join(', ')}`),
      amount: decimalBody.refine((text) => /[1-9]/.test(text), 'expected an amount that is not 0, like "100.00"'),
      ...ownWords,
    })
    .refine(ownWordsFit.check, ownWordsFit.params),
  answer: balanceAnswer,
  status: 201,
  logins: ofLogin,
  example: { params: { login: '1001' }, body: { kind: 'balance', amount: '100.00', comment: 'deposit 4711' } },
});

const accountAnswer = z
  .object({
    operation: operation.optional(),
    login: z.int().nullable().optional(),
    account: user.schema.nullable().optional(),
    dryRun: dryRunAnswer.optional(),
  })
  .meta({ id: 'AccountAnswer' });

const line = (most: number) =>
  z
    .string()
    .max(most, `expected at most ${most} characters`)
    .regex(/^[^\p{Cc}\p{Cs}\p{Bidi_Control}]*$/u, 'expected text without control characters');

/** Limits as MT5 has them (mt5-webapi §3.3). */
const profile = {
  name: line(128),
  firstName: line(64),
  lastName: line(64),
  middleName: line(64),
  company: line(64),
  country: line(32),
  city: line(32),
  state: line(32),
  zipCode: line(16),
  address: line(128),
  phone: line(32),
  email: line(64),
  externalAccount: line(32),
  documentId: line(32),
  status: line(16),
  comment: line(64),
  leadSource: line(32),
  leadCampaign: line(32),
  leverage: z.int('expected a whole number from 1 to 10000').min(1).max(10_000),
  limitOrders: z.int('expected a whole number, or 0 for the limit of the group').min(0).max(4_294_967_295),
  limitPositions: z.int('expected a whole number, or 0 for the limit of the group').min(0).max(4_294_967_295),
  agent: z.int('expected a login, or 0 for none').min(0),
  language: z.int('expected a Windows language id').min(0).max(65_535),
  color: z.int('expected a colour').min(0).max(4_294_967_295),
} as const;
const optionalProfile = z.strictObject(profile).partial();

/** Rights by the names that `rights` of an account lists; `obsolete` and `investor` are the server's own marks. */
const rightsBody = z
  .strictObject(
    Object.fromEntries(SETTABLE_RIGHTS.map((name) => [name, z.boolean('expected true or false').optional()])) as Record<
      SettableRight,
      z.ZodOptional<z.ZodBoolean>
    >,
  )
  .refine((rights) => Object.keys(rights).length > 0, 'expected at least one right')
  .meta({ description: 'Rights to give (`true`) or take (`false`); those that are not named stay.' });

export const createAccount = defineRoute({
  id: 'createAccount',
  method: 'POST',
  path: '/v1/accounts',
  tag: 'Accounts',
  summary: 'Open an account',
  scope: 'manage',
  write: true,
  params: noParams,
  query: dryRunQuery,
  body: optionalProfile.extend({
    login: loginBody.optional(),
    group: groupIn,
    name: profile.name.min(1, 'expected a name'),
    leverage: profile.leverage,
    passwordMain: passwordBody,
    passwordInvestor: passwordBody,
  }),
  answer: accountAnswer,
  status: 201,
  logins: ({ body }) => [body.login ?? 0],
  example: {
    body: {
      group: 'demo\\forex',
      name: 'Ann Example',
      leverage: 100,
      passwordMain: 'Main#4711x',
      passwordInvestor: 'Invest#4711x',
    },
  },
});

export const updateAccount = defineRoute({
  id: 'updateAccount',
  method: 'PATCH',
  path: '/v1/accounts/{login}',
  tag: 'Accounts',
  summary: 'Change the record of an account',
  description:
    'Only what is named changes: the bridge reads the whole record, changes it, and writes it back. `rights` gives and ' +
    'takes single rights: `{"trade_disabled": true}` stops trading, `{"readonly": true}` makes the account read-only.',
  scope: 'manage',
  write: true,
  params: loginParams,
  query: dryRunQuery,
  body: optionalProfile
    .extend({ rights: rightsBody.optional() })
    .refine((body) => Object.keys(body).length > 0, 'expected at least one change'),
  answer: accountAnswer,
  status: 200,
  logins: ofLogin,
  example: { params: { login: '1001' }, body: { phone: '+44 20 7946 0000' } },
});

export const deleteAccount = defineRoute({
  id: 'deleteAccount',
  method: 'DELETE',
  path: '/v1/accounts/{login}',
  tag: 'Accounts',
  summary: 'Delete an account',
  description:
    'Refused with 409 while positions or orders are open: see `liquidateAccount`. Its sessions end. Its history goes with it.',
  scope: 'manage',
  write: true,
  params: loginParams,
  query: dryRunQuery,
  answer: accountAnswer,
  status: 200,
  logins: ofLogin,
  example: { params: { login: '1090' } },
});

const accountAction = <Body extends z.ZodType, Action extends string>(
  action: Action,
  summary: string,
  body: Body,
  example: unknown,
) =>
  defineRoute({
    id: `${action}Account` as const,
    method: 'POST',
    path: `/v1/accounts/{login}/${action}`,
    tag: 'Accounts',
    summary,
    scope: 'manage',
    write: true,
    params: loginParams,
    query: dryRunQuery,
    body,
    bodyOptional: true,
    answer: accountAnswer,
    status: 200,
    logins: ofLogin,
    example: { params: { login: '1001' }, body: example },
  });

const noBody = z.strictObject({});
export const enableAccount = accountAction('enable', 'Let an account sign in', noBody, {});
export const disableAccount = accountAction('disable', 'Keep an account from signing in', noBody, {});

export const changeAccountGroup = defineRoute({
  id: 'changeAccountGroup',
  method: 'POST',
  path: '/v1/accounts/{login}/group',
  tag: 'Accounts',
  summary: 'Move an account to another group',
  scope: 'manage',
  write: true,
  params: loginParams,
  query: dryRunQuery,
  body: z.strictObject({ group: groupIn }),
  answer: accountAnswer,
  status: 200,
  logins: ofLogin,
  example: { params: { login: '1001' }, body: { group: 'demo\\netting' } },
});

const passwordTypeIn = z
  .enum(['main', 'investor', 'api'], 'expected "main", "investor" or "api"')
  .default('main')
  .meta({ description: 'Which password of the account.' });

export const changePassword = defineRoute({
  id: 'changePassword',
  method: 'POST',
  path: '/v1/accounts/{login}/password',
  tag: 'Accounts',
  summary: 'Set a password of an account',
  scope: 'manage',
  write: true,
  params: loginParams,
  query: noQuery,
  body: z.strictObject({ type: passwordTypeIn, password: passwordBody }),
  answer: accountAnswer,
  status: 200,
  logins: ofLogin,
  example: { params: { login: '1001' }, body: { type: 'investor', password: 'Invest#4712x' } },
});

export const checkPassword = defineRoute({
  id: 'checkPassword',
  method: 'POST',
  path: '/v1/accounts/{login}/password/check',
  tag: 'Accounts',
  summary: 'Whether a password is right',
  description: 'Guessing is throttled per login.',
  scope: 'manage',
  write: false,
  params: loginParams,
  query: noQuery,
  body: z.strictObject({ type: passwordTypeIn, password: passwordBody }),
  answer: z.object({ valid: z.boolean() }),
  status: 200,
  logins: ofLogin,
  example: { params: { login: '1001' }, body: { type: 'main', password: 'Client1001!' } },
});

export const moneyRoutes = [
  changeBalance,
  createAccount,
  updateAccount,
  deleteAccount,
  enableAccount,
  disableAccount,
  changeAccountGroup,
  changePassword,
  checkPassword,
] as const;
