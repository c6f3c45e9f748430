import { z } from 'zod';
import { brokerIdSchema } from '../container/contract/brokers.ts';
import { jsonVariable } from '../container/contract/json-variable.ts';

/** Location hints of Durable Objects (developers.cloudflare.com/durable-objects/reference/data-location). */
export const REGIONS = ['wnam', 'enam', 'sam', 'weur', 'eeur', 'apac', 'oc', 'afr', 'me'] as const;
export type Region = (typeof REGIONS)[number];

const EXPECTED = 'expected a JSON list of {"id","server","login","passwordSecret","region"?,"pool"?,"tls"?}';
const text = z.string({ error: 'is missing' }).min(1, 'is missing');

// Server, login, pool and tls are checked in full by the container that gets them.
const brokerSchema = z.strictObject({
  id: brokerIdSchema,
  server: text,
  login: z.string({ error: 'expected the number of a manager account, as text' }).regex(/^[1-9]\d{0,15}$/, {
    error: 'expected the number of a manager account, as text',
  }),
  passwordSecret: z
    .string({ error: 'expected the name of the secret that holds the API password' })
    .regex(/^[A-Z][A-Z0-9_]{0,63}$/, 'expected the name of a secret: A–Z 0–9 _, a letter first'),
  region: z.enum(REGIONS, { error: `expected one of ${REGIONS.join(', ')}` }).optional(),
  pool: z.int('expected a whole number from 1 to 64').min(1).max(64).optional(),
  tls: text.optional(),
});
export type BrokerEntry = z.infer<typeof brokerSchema>;

/** The value of `BROKERS`; empty = one broker, whose server and secrets are `MT5_*`. */
export const brokersSchema = z
  .string()
  .default('')
  .transform((value) => value || '[]')
  .pipe(jsonVariable(EXPECTED))
  .pipe(z.array(brokerSchema, { error: EXPECTED }).max(100, 'expected at most 100 brokers'))
  .refine((list) => new Set(list.map(({ id }) => id)).size === list.length, 'expected each id once');

/** The variables of one broker's container, over those that all share. */
export function brokerVariables(entry: BrokerEntry, env: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return {
    MT5_SERVER: entry.server,
    MT5_LOGIN: entry.login,
    MT5_PASSWORD: env[entry.passwordSecret],
    ...(entry.pool === undefined ? {} : { POOL_MAX: String(entry.pool) }),
    ...(entry.tls === undefined ? {} : { MT5_TLS: entry.tls }),
  };
}
