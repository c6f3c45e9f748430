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
/** '' = none. Signed callers and the broker's books travel there: never in clear, but on this machine. */
const vpsOrigin = z
  .string()
  .refine((text) => text === '' || (isOrigin(text) && /^(https:|http:\/\/(127\.0\.0\.1|localhost)(:|$))/.test(text)), {
    error: 'expected an origin like "https://vps.example"',
  })
  .default('');
const doorKey = z
  .string()
  .refine((text) => text === '' || text.length >= 32, 'expected at least 32 characters')
  .default('');

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
  ORIGIN: z.enum(['container', 'vps'], { error: 'expected container or vps' }).default('container'),
  VPS_ORIGIN: vpsOrigin,
  VPS_KEY: doorKey,
  VPS: z.unknown().optional(),
  FALLBACK_ORIGIN: vpsOrigin.or(z.literal('container')),
  FALLBACK_KEY: doorKey,
  FALLBACK_WRITES: z.enum(['off', 'on'], { error: 'expected off or on' }).default('off'),
  FALLBACK_AFTER_MS: whole(100, 600_000).default(8_000),
  BROKER_REGION: z.enum(['', ...REGIONS], { error: `expected one of ${REGIONS.join(', ')}, or nothing` }).default(''),
});

/** Of the only broker. The container checks these in full; here only that nothing is woken without them. */
const single = { MT5_SERVER: secret, MT5_LOGIN: secret, MT5_PASSWORD: secret };

/** Checks the variables of a Worker. */
export function parseVariables(
  env: Readonly<Record<string, unknown>>,
): z.ZodSafeParseResult<z.output<typeof variables>> {
  const isVpsAlone = env['ORIGIN'] === 'vps' && env['FALLBACK_ORIGIN'] !== 'container';
  const schema = env['BROKERS'] || isVpsAlone ? variables : variables.extend(single);
  return schema.superRefine(requireOrigins).safeParse(env);
}

/** What one of the origins' variables wants of the others. */
function requireOrigins(given: z.output<typeof variables>, context: z.RefinementCtx): void {
  const fault = (name: string, message: string): void => context.addIssue({ code: 'custom', path: [name], message });
  if (given.ORIGIN === 'vps') {
    if (given.VPS_ORIGIN === '' && typeof given.VPS !== 'object')
      fault('VPS_ORIGIN', 'is missing: ORIGIN=vps needs it, or a Workers VPC binding named VPS');
    if (given.VPS_KEY === '') fault('VPS_KEY', 'is missing: ORIGIN=vps needs it; the VPS has the same as its DOOR_KEY');
  } else if (given.FALLBACK_ORIGIN === 'container')
    fault(
      'FALLBACK_ORIGIN',
      'expected an origin like "https://vps.example": the container is the fallback of ORIGIN=vps only',
    );
  if (!['', 'container'].includes(given.FALLBACK_ORIGIN) && given.FALLBACK_KEY === '')
    fault('FALLBACK_KEY', 'is missing: FALLBACK_ORIGIN needs it; the VPS has the same as its DOOR_KEY');
}

const isOrigin = (text: string): boolean => text === '' || (URL.canParse(text) && new URL(text).origin === text);

/** Paths and messages only: an issue of zod may hold the value. */
export const faultsOf = (error: z.ZodError): string[] =>
  error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

const SECRETS: readonly string[] = [
  'BRIDGE_API_KEYS',
  'MT5_SERVER',
  'MT5_LOGIN',
  'MT5_PASSWORD',
  'VPS_KEY',
  'FALLBACK_KEY',
];

/** What is wrong with variables before they are deployed; of `names` alone, else of all but the secrets. */
export function variableFaults(vars: Readonly<Record<string, unknown>>, names?: readonly string[]): string[] {
  const { error } = parseVariables(vars);
  const concerns = (fault: string): boolean => {
    const name = fault.split(/[:.]/)[0] ?? '';
    return names ? names.includes(name) : !SECRETS.includes(name);
  };
  return error ? faultsOf(error).filter(concerns) : [];
}
