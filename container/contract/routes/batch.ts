import { z } from 'zod';
import { problem } from '../schemas/problem.ts';
import { defineRoute, noParams, noQuery } from '../route.ts';

/** Requests of one batch. */
export const MAX_BATCH = 50;

export const postBatch = defineRoute({
  id: 'postBatch',
  method: 'POST',
  path: '/v1/batch',
  tag: 'Batch',
  summary: 'Up to 50 reads in one request, each with its own status',
  description:
    'Every read is checked against the key by itself, and they run at the same time over the bridge’s connections. Each counts as a request against the rate limit. The answer is 200 whatever the reads answer; they stand in the order of the requests.',
  scope: 'read',
  write: false,
  params: noParams,
  query: noQuery,
  body: z.strictObject({
    requests: z
      .array(
        z.strictObject({
          id: z.string().max(64).optional().meta({ description: 'Given back beside the answer.' }),
          path: z
            .string()
            .regex(/^\/v1\/[\x21-\x7e]{1,4000}$/, 'expected the path and query of a read, like "/v1/accounts/1001"')
            .meta({ description: 'Path and query of a GET.' }),
        }),
      )
      .min(1, `expected 1–${MAX_BATCH} requests`)
      .max(MAX_BATCH, `expected 1–${MAX_BATCH} requests`),
  }),
  cost: ({ body }) => body.requests.length,
  answer: z
    .object({
      items: z.array(
        z.object({
          id: z.string().nullable(),
          status: z.int(),
          body: z.unknown().meta({ description: 'As the read alone would answer.' }),
          problem: problem.nullable().meta({ description: '`null` on success.' }),
        }),
      ),
    })
    .meta({ id: 'BatchAnswer' }),
  status: 200,
  example: {
    body: {
      requests: [
        { id: 'account', path: '/v1/accounts/1001' },
        { id: 'quotes', path: '/v1/quotes?symbols=EURUSD,GBPUSD' },
        { id: 'positions', path: '/v1/accounts/1001/positions' },
      ],
    },
  },
});
