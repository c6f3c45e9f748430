import { z } from 'zod';
import { customCommandsSchema } from '../container/contract/custom-commands.ts';
import { allowedOriginsSchema, marginWatchSchema, outboxFullSchema } from '../container/contract/events.ts';
import { brokerIdSchema } from '../container/contract/brokers.ts';
import { LOG_LEVELS } from '../container/contract/logger.ts';
import { apiKeysSchema } from '../container/contract/key-records.ts';
import { INSTANCE_TYPES, type InstanceType } from '../container/state/cost/prices.ts';
import { brokersSchema, REGIONS } from './brokers.ts';
import { SLEEP_POLICIES } from './holder/policy/awake.ts';
import { SLEEP_AFTER_PATTERN } from './holder/sleep-policy.ts';

const MISSING = 'is missing';
const secret = z.string({ error: MISSING }).min(1, MISSING);
const whole = (min: number, max: number) =>
  z
    .string({ error: MISSING })
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max, {
      error: `expected a whole number from ${min} to ${max}`,
    })
    .transform(Number);

const instanceTypes = Object.keys(INSTANCE_TYPES) as [InstanceType, ...InstanceType[]];

const variables = z.object({
  BRIDGE_API_KEYS: secret.pipe(apiKeysSchema),
  SLEEP_AFTER: z
    .string({ error: MISSING })
    .regex(SLEEP_AFTER_PATTERN, 'expected whole seconds, minutes or hours like "10m"'),
  SLEEP_POLICY: z.enum(SLEEP_POLICIES, { error: `expected ${SLEEP_POLICIES.join(', ')}` }),
  WARM_LEAD_SECONDS: whole(0, 3600),
  REQUEST_DEADLINE_SECONDS: whole(1, 600),
  RATE_LIMIT_PER_SECOND: whole(1, 1_000_000),
  RATE_LIMIT_BURST: whole(1, 1_000_000),
  CORS_ORIGINS: z.string().refine((text) => text.split(',').every((origin) => isOrigin(origin.trim())), {
    error: 'expected origins like "https://desk.example", several joined by commas, or nothing',
  }),
  INSTANCE_TYPE: z.enum(instanceTypes, { error: `expected ${instanceTypes.join(', ')}` }).default('basic'),
  BUDGET_USD: z
    .string()
    .regex(/^(\d{1,6}(\.\d{1,2})?)?$/, 'expected US dollars a month like "25", or nothing')
    .default(''),
  BROKER: brokerIdSchema,
  BROKERS: brokersSchema,
  INSTANCE_VERSION: whole(1, 1_000_000),
  MT5_CUSTOM_COMMANDS: customCommandsSchema,
  LOG_LEVEL: z.enum(LOG_LEVELS, { error: `expected ${LOG_LEVELS.join(', ')}` }).default('info'),
  OUTBOX_FULL: outboxFullSchema,
  MARGIN_WATCH: marginWatchSchema,
  WEBHOOK_ALLOWED_ORIGINS: allowedOriginsSchema,
  BROKER_REGION: z.enum(['', ...REGIONS], { error: `expected one of ${REGIONS.join(', ')}, or nothing` }).default(''),
});

/** Of the only broker. The container checks these in full; here only that nothing is woken without them. */
const single = variables.extend({ MT5_SERVER: secret, MT5_LOGIN: secret, MT5_PASSWORD: secret });

/** Checks the variables of a Worker. */
export function parseVariables(
  env: Readonly<Record<string, unknown>>,
): z.ZodSafeParseResult<z.output<typeof variables>> {
  return (env['BROKERS'] ? variables : single).safeParse(env);
}

const isOrigin = (text: string): boolean => text === '' || (URL.canParse(text) && new URL(text).origin === text);

/** Paths and messages only: an issue of zod may hold the value. */
export const faultsOf = (error: z.ZodError): string[] =>
  error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

const SECRETS: readonly string[] = ['BRIDGE_API_KEYS', 'MT5_SERVER', 'MT5_LOGIN', 'MT5_PASSWORD'];

/** What is wrong with variables before they are deployed; of `names` alone, else of all but the secrets. */
export function variableFaults(vars: Readonly<Record<string, unknown>>, names?: readonly string[]): string[] {
  const { error } = parseVariables(vars);
  const concerns = (fault: string): boolean => {
    const name = fault.split(/[:.]/)[0] ?? '';
    return names ? names.includes(name) : !SECRETS.includes(name);
  };
  return error ? faultsOf(error).filter(concerns) : [];
}
