import { z } from 'zod';
import { defineRoute, noParams } from '../route.ts';
import { dryRunQuery, operation, ownWords, ownWordsFit } from '../schemas/operation.ts';
import { decimalBody, groupMaskIn, loginBody, sideIn, symbolIn, ticketIn } from '../schemas/values.ts';
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

/** More than these would hold the dealer's line for minutes; the ledger keeps a row for each. */
export const MAX_BULK = 1000;

const ticketsBody = z
  .array(ticketIn)
  .min(1, 'expected at least one ticket')
  .max(MAX_BULK, `expected at most ${MAX_BULK} tickets`)
  .meta({ description: 'Only these.' });
const profitBound = (description: string) => decimalBody.optional().meta({ description });
const positionFilters = {
  symbol: symbolIn.optional(),
  side: sideIn.optional(),
  tickets: ticketsBody.optional(),
  profitAbove: profitBound('Only positions whose floating profit is above: `"0"` = the winners.'),
  profitBelow: profitBound('Only positions whose floating profit is below: `"0"` = the losers.'),
};
const orderFilters = {
  symbol: symbolIn.optional(),
  side: sideIn.optional(),
  type: z.enum(['limit', 'stop', 'stop_limit'], 'expected "limit", "stop" or "stop_limit"').optional(),
  tickets: ticketsBody.optional(),
};
/** Whose: one of the three. */
const whose = {
  group: groupMaskIn.optional(),
  logins: z
    .array(loginBody)
    .min(1, 'expected at least one login')
    .max(MAX_BULK, `expected at most ${MAX_BULK} logins`)
    .optional(),
};
interface Whose {
  readonly group?: unknown;
  readonly logins?: unknown;
  readonly tickets?: unknown;
}
const namesSomebody = ({ group, logins, tickets }: Whose): boolean =>
  (group === undefined || logins === undefined) && (group ?? logins ?? tickets) !== undefined;
const NAMES_SOMEBODY = { path: ['group'], error: 'expected "group" or "logins", or "tickets" alone' };

const EACH =
  `is an operation of its own, under the key and \`/\` and its ticket; at most ${MAX_BULK}. What is left when the time of the ` +
  'request is over goes on behind the 202. The whole is `done` when all were executed or none fitted, `partial` when some were, ' +
  '`refused` when none was; 202 while any is unknown.';

export const closePositions = defineRoute({
  id: 'closePositions',
  method: 'POST',
  path: '/v1/accounts/{login}/positions/close',
  tag: 'Trading',
  summary: 'Close every position of an account that fits',
  description: `Each position ${EACH}`,
  scope: 'trade',
  write: true,
  params: loginParams,
  query: dryRunQuery,
  body: z.strictObject({ ...positionFilters, ...ownWords }).refine(ownWordsFit.check, ownWordsFit.params),
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
  description: `Each order ${EACH}`,
  scope: 'trade',
  write: true,
  params: loginParams,
  query: dryRunQuery,
  body: z.strictObject(orderFilters),
  bodyOptional: true,
  brief: true,
  answer: bulkAnswer,
  status: 200,
  logins: ({ params }) => [params.login],
  example: { params: { login: '1001' }, body: { type: 'limit' } },
});

export const closePositionsOfMany = defineRoute({
  id: 'closePositionsOfMany',
  method: 'POST',
  path: '/v1/positions/close',
  tag: 'Trading',
  summary: 'Close every position that fits, of a group mask, of some accounts, or by ticket',
  description: `Of a mask, those that the key may touch. Each position ${EACH}`,
  scope: 'trade',
  write: true,
  params: noParams,
  query: dryRunQuery,
  body: z
    .strictObject({ ...whose, ...positionFilters, ...ownWords })
    .refine(namesSomebody, NAMES_SOMEBODY)
    .refine(ownWordsFit.check, ownWordsFit.params),
  brief: true,
  answer: bulkAnswer,
  status: 200,
  logins: ({ body }) => body.logins ?? [],
  example: { body: { group: 'demo\\forex', symbol: 'EURUSD', profitBelow: '-1000' } },
});

export const cancelOrdersOfMany = defineRoute({
  id: 'cancelOrdersOfMany',
  method: 'POST',
  path: '/v1/orders/cancel',
  tag: 'Trading',
  summary: 'Cancel every pending order that fits, of a group mask, of some accounts, or by ticket',
  description: `Of a mask, those that the key may touch. Each order ${EACH}`,
  scope: 'trade',
  write: true,
  params: noParams,
  query: dryRunQuery,
  body: z.strictObject({ ...whose, ...orderFilters }).refine(namesSomebody, NAMES_SOMEBODY),
  brief: true,
  answer: bulkAnswer,
  status: 200,
  logins: ({ body }) => body.logins ?? [],
  example: { body: { group: 'demo\\forex', symbol: 'EURUSD', type: 'stop' } },
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
  body: z.strictObject(ownWords).refine(ownWordsFit.check, ownWordsFit.params),
  bodyOptional: true,
  answer: bulkAnswer,
  status: 200,
  logins: ({ params }) => [params.login],
  scopes: () => ['trade'],
  example: { params: { login: '1003' } },
});

export const bulkRoutes = [
  closePositions,
  cancelOrders,
  closePositionsOfMany,
  cancelOrdersOfMany,
  liquidateAccount,
] as const;
