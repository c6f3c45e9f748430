import { z } from 'zod';
import { SCOPES } from '../keys.ts';
import { defineRoute, noParams, noQuery } from '../route.ts';

export const getKeySelf = defineRoute({
  id: 'getKeySelf',
  method: 'GET',
  path: '/v1/keys/self',
  tag: 'Bridge',
  summary: 'What the key that asks may do',
  scope: 'read',
  write: false,
  params: noParams,
  query: noQuery,
  answer: z
    .object({
      id: z.string(),
      scopes: z.array(z.enum(SCOPES)),
      logins: z.string().nullable().meta({ description: 'Login mask like `1001,1005-1010`; `null` = every login.' }),
      limits: z
        .object({
          maxVolumeLots: z.string().optional(),
          symbols: z.array(z.string()).optional(),
          ordersPerMinute: z.int().optional(),
        })
        .nullable(),
    })
    .meta({ id: 'KeySelf' }),
  status: 200,
  example: {},
});
