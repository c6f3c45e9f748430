import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { dryRunQuery, operation } from '../schemas/operation.ts';
import { sideIn, symbolIn } from '../schemas/values.ts';
import { loginParams } from './read.ts';

/** Many positions and orders in one request: each is an operation of its own, and so is the whole. */

const bulkAnswer = z
  .object({
    operation: operation.optional(),
    counts: z
      .object({ matched: z.int(), done: z.int(), refused: z.int(), unknown: z.int() })
      .optional()
      .meta({ description: 'Absent in a dry run, and while the whole is on its way.' }),
    items: z
      .array(
        z.object({
          ticket: z.string().meta({ description: 'Ticket; `disable` for the last step of a liquidation.' }),
          status: z.int().meta({ description: 'What the single request would have answered.' }),
          outcome: z.enum(['done', 'refused', 'unknown']).meta({ description: '`refused`: nothing of it happened.' }),
          answer: z.unknown(),
        }),
      )
      .optional(),
  })
  .meta({ id: 'BulkAnswer' });

export const closePositions = defineRoute({
  id: 'closePositions',
  method: 'POST',
  path: '/v1/accounts/{login}/positions/close',
  tag: 'Trading',
  summary: 'Close every position of an account that fits',
  description:
    'Each position is an operation of its own, under the key and `/` and its ticket. The whole is `done` when all were ' +
    'executed or none fitted, `partial` when some were, `refused` when none was; 202 while any is unknown.',
  scope: 'trade',
  write: true,
  params: loginParams,
  query: dryRunQuery,
  body: z.strictObject({ symbol: symbolIn.optional(), side: sideIn.optional() }),
  bodyOptional: true,
  brief: true,
  answer: bulkAnswer,
  status: 200,
  logins: ({ params }) => [params.login],
  example: { params: { login: '1001' }, body: { symbol: 'EURUSD' } },
});

export const cancelOrders = defineRoute({
  id: 'cancelOrders',
  method: 'POST',
  path: '/v1/accounts/{login}/orders/cancel',
  tag: 'Trading',
  summary: 'Cancel every pending order of an account that fits',
  description:
    'Each order is an operation of its own, under the key and `/` and its ticket. The whole is `done` when all were ' +
    'cancelled or none fitted, `partial` when some were, `refused` when none was; 202 while any is unknown.',
  scope: 'trade',
  write: true,
  params: loginParams,
  query: dryRunQuery,
  body: z.strictObject({
    symbol: symbolIn.optional(),
    side: sideIn.optional(),
    type: z.enum(['limit', 'stop', 'stop_limit'], 'expected "limit", "stop" or "stop_limit"').optional(),
  }),
  bodyOptional: true,
  brief: true,
  answer: bulkAnswer,
  status: 200,
  logins: ({ params }) => [params.login],
  example: { params: { login: '1001' }, body: { type: 'limit' } },
});

export const liquidateAccount = defineRoute({
  id: 'liquidateAccount',
  method: 'POST',
  path: '/v1/accounts/{login}/liquidate',
  tag: 'Accounts',
  summary: 'Cancel every order, close every position, then disable the account',
  description:
    'In this order, since the broker closes nothing on a disabled account. Each step is an operation of its own, under the ' +
    'key and `/` and its ticket, the last one under the key and `/disable`. The account is disabled once nothing is open ' +
    'any more; else the last item says why not, and the whole is `partial`: send it again with a new key. ' +
    'Needs the scopes `manage` and `trade`.',
  scope: 'manage',
  write: true,
  params: loginParams,
  query: dryRunQuery,
  body: z.strictObject({}),
  bodyOptional: true,
  answer: bulkAnswer,
  status: 200,
  logins: ({ params }) => [params.login],
  scopes: () => ['trade'],
  example: { params: { login: '1003' } },
});

export const bulkRoutes = [closePositions, cancelOrders, liquidateAccount] as const;
