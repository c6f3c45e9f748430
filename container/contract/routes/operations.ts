import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { CLIENT_REFERENCE, operation, operationStateIn, TAG_CHARACTERS } from '../schemas/operation.ts';
import { limitIn, listOf, loginIn } from '../schemas/values.ts';

/** The fate of every write. Behind the Worker the Durable Object answers the reads without waking the container. */

const keyParams = z.strictObject({
  key: z
    .string()
    .regex(/^[\x21-\x7e]{1,300}$/, 'expected an operation key, percent-encoded')
    .meta({ description: 'The `Idempotency-Key` of the write, percent-encoded.' }),
});

/** A key of a write is one of its caller's: two callers may use the same. */
const ofCaller = z.strictObject({
  caller: z
    .string()
    .regex(/^[\x21-\x7e]{1,100}$/, 'expected the id of a key')
    .optional()
    .meta({ description: 'With the scope `operate`: the write of another key, as `caller` of the list names it.' }),
});

/** The ledger's own: the row after which the page begins. */
const operationCursorIn = z
  .string()
  .regex(/^\d{1,15}$/, 'expected a cursor as given in nextCursor')
  .meta({ description: '`nextCursor` of the page before.' });

/** The tag, with the caller's own id before it where it named one. */
const LAST_WORD = new RegExp(`^(?:${CLIENT_REFERENCE.source}~)?[a-z2-7]{${TAG_CHARACTERS}}$`);

export const getOperation = defineRoute({
  id: 'getOperation',
  method: 'GET',
  path: '/v1/operations/{key}',
  tag: 'Operations',
  summary: 'What became of a write',
  scope: 'read',
  write: false,
  params: keyParams,
  query: ofCaller,
  answer: operation,
  status: 200,
  example: { params: { key: 'order-4711' } },
});

export const listOperations = defineRoute({
  id: 'listOperations',
  method: 'GET',
  path: '/v1/operations',
  tag: 'Operations',
  summary: 'Writes of this key, newest first',
  scope: 'read',
  write: false,
  params: z.strictObject({}),
  query: z.strictObject({
    state: operationStateIn.optional(),
    login: loginIn.optional(),
    tag: z
      .string()
      .regex(LAST_WORD, 'expected a tag: ten letters and digits, with which a comment ends')
      .transform((word) => word.slice(-TAG_CHARACTERS))
      .optional()
      .meta({
        openapi: {
          type: 'string',
          description: 'The write that an order, deal or position came of: the last word of its comment.',
        },
      }),
    caller: z
      .string()
      .regex(/^[\x21-\x7e]{1,100}$/, 'expected the id of a key, or * for all')
      .optional()
      .meta({ description: 'With the scope `operate`: writes of another key, or `*` for all.' }),
    limit: limitIn(100, 1000),
    cursor: operationCursorIn.optional(),
  }),
  answer: listOf(operation),
  status: 200,
  example: { query: { state: 'unknown' } },
});

export const reconcileOperation = defineRoute({
  id: 'reconcileOperation',
  method: 'POST',
  path: '/v1/operations/{key}/reconcile',
  tag: 'Operations',
  summary: 'Look at the broker’s books now',
  description: 'Never sends anything again. Answers the operation as it stands after the look.',
  scope: 'trade',
  write: false,
  params: keyParams,
  query: ofCaller,
  answer: operation,
  status: 200,
  example: { params: { key: 'order-4711' } },
});

export const operationRoutes = [getOperation, listOperations, reconcileOperation] as const;
