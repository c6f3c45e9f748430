import { z } from 'zod';
import { defineRoute, noParams, noQuery } from '../route.ts';
import { groupMaskIn, loginBody, symbolIn } from '../schemas/values.ts';

/** The kill switch: of everybody's trading, or of a group, a symbol or a login. */

const haltAnswer = z
  .object({
    halted: z.boolean().meta({ description: 'Whether everybody’s trading is halted.' }),
    reason: z.string().nullable(),
    since: z.string().nullable(),
    sinceMs: z.int().nullable(),
    halts: z
      .array(
        z.object({
          kind: z.enum(['all', 'group', 'symbol', 'login']),
          value: z.string().meta({ description: 'Group mask, symbol or login; empty for all.' }),
          reason: z.string(),
          since: z.string(),
          sinceMs: z.int(),
        }),
      )
      .meta({ description: 'Every halt in force.' }),
  })
  .meta({ id: 'TradingHalt' });

/** Whose trades; nothing = everybody's. */
const haltScope = {
  group: groupMaskIn.optional(),
  symbol: symbolIn.optional(),
  login: loginBody.optional(),
};
const ONE_SCOPE = { path: ['group'], error: 'expected one of group, symbol and login, or none of them' };
const isOneScope = (body: { group?: unknown; symbol?: unknown; login?: unknown }): boolean =>
  [body.group, body.symbol, body.login].filter((value) => value !== undefined).length <= 1;

export const getTradingHalt = defineRoute({
  id: 'getTradingHalt',
  method: 'GET',
  path: '/admin/trading',
  tag: 'Admin',
  summary: 'Whether trading is halted',
  scope: 'operate',
  wide: true,
  write: false,
  params: noParams,
  query: noQuery,
  answer: haltAnswer,
  status: 200,
  example: {},
});

export const haltTrading = defineRoute({
  id: 'haltTrading',
  method: 'POST',
  path: '/admin/trading/halt',
  tag: 'Admin',
  summary: 'Refuse trades from now on: all, or those of a group, a symbol or a login',
  scope: 'operate',
  wide: true,
  write: false,
  params: noParams,
  query: noQuery,
  body: z
    .strictObject({
      reason: z.string().max(500, 'expected at most 500 characters').default('by an administrator'),
      ...haltScope,
    })
    .refine(isOneScope, ONE_SCOPE),
  bodyOptional: true,
  answer: haltAnswer,
  status: 200,
  example: { body: { reason: 'end-of-day audit' } },
});

export const resumeTrading = defineRoute({
  id: 'resumeTrading',
  method: 'POST',
  path: '/admin/trading/resume',
  tag: 'Admin',
  summary: 'Let trades through again: ends the halt of exactly this scope',
  scope: 'operate',
  wide: true,
  write: false,
  params: noParams,
  query: noQuery,
  body: z.strictObject(haltScope).refine(isOneScope, ONE_SCOPE),
  bodyOptional: true,
  answer: haltAnswer,
  status: 200,
  example: { body: {} },
});

export const haltRoutes = [getTradingHalt, haltTrading, resumeTrading] as const;
