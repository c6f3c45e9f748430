import { z } from 'zod';
import { BridgeError } from '../container/contract/errors.ts';
import { apiKeysSchema } from '../container/contract/key-records.ts';
import { SLEEP_AFTER_PATTERN } from './holder/sleep-policy.ts';

/** What the door needs of the Worker's variables and secrets, checked. */
export interface DoorConfig {
  readonly requestDeadlineMs: number;
  readonly rate: { readonly perSecond: number; readonly burst: number };
  /** Exact origins whose browsers may read answers; empty = none. */
  readonly corsOrigins: readonly string[];
  /** Name of the broker in the Durable Object's name, and the version that rotates it. */
  readonly broker: string;
  readonly instanceVersion: number;
  /** Where the Durable Objects are made; undefined = where the first request came from. */
  readonly region: (typeof REGIONS)[number] | undefined;
}

const MISSING = 'is missing';
const secret = z.string({ error: MISSING }).min(1, MISSING);
const whole = (min: number, max: number) =>
  z
    .string({ error: MISSING })
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max, {
      error: `expected a whole number from ${min} to ${max}`,
    })
    .transform(Number);

/** Location hints of Durable Objects (developers.cloudflare.com/durable-objects/reference/data-location). */
const REGIONS = ['wnam', 'enam', 'sam', 'weur', 'eeur', 'apac', 'oc', 'afr', 'me'] as const;

const variables = z.object({
  BRIDGE_API_KEYS: secret.pipe(apiKeysSchema),
  // The container checks these in full; here only that nothing is woken without them.
  MT5_SERVER: secret,
  MT5_LOGIN: secret,
  MT5_PASSWORD: secret,
  SLEEP_AFTER: z
    .string({ error: MISSING })
    .regex(SLEEP_AFTER_PATTERN, 'expected whole seconds, minutes or hours like "10m"'),
  REQUEST_DEADLINE_SECONDS: whole(1, 600),
  RATE_LIMIT_PER_SECOND: whole(1, 1_000_000),
  RATE_LIMIT_BURST: whole(1, 1_000_000),
  CORS_ORIGINS: z.string().refine((text) => text.split(',').every((origin) => isOrigin(origin.trim())), {
    error: 'expected origins like "https://desk.example", several joined by commas, or nothing',
  }),
  BROKER: z.string({ error: MISSING }).regex(/^[a-z0-9-]{1,32}$/, 'expected 1–32 of a–z 0–9 -'),
  INSTANCE_VERSION: whole(1, 1_000_000),
  BROKER_REGION: z.enum(['', ...REGIONS], { error: `expected one of ${REGIONS.join(', ')}, or nothing` }).default(''),
});

const isOrigin = (text: string): boolean => text === '' || (URL.canParse(text) && new URL(text).origin === text);

/** Variables do not change in the life of an isolate. */
const checked = new WeakMap<object, DoorConfig | BridgeError>();

/** @throws BridgeError `misconfigured` naming every variable at fault: without a valid configuration nobody is let in */
export function doorConfig(env: Env): DoorConfig {
  let config = checked.get(env);
  if (config === undefined) checked.set(env, (config = readConfig(env)));
  if (config instanceof BridgeError) throw config;
  return config;
}

function readConfig(env: object): DoorConfig | BridgeError {
  const result = variables.safeParse(env);
  if (!result.success) {
    // Paths and messages only: an issue of zod may hold the value.
    const faults = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    return new BridgeError('misconfigured', `Variables or secrets of the Worker are not valid. ${faults.join('; ')}.`);
  }
  const { data } = result;
  return {
    requestDeadlineMs: data.REQUEST_DEADLINE_SECONDS * 1000,
    rate: { perSecond: data.RATE_LIMIT_PER_SECOND, burst: data.RATE_LIMIT_BURST },
    corsOrigins: data.CORS_ORIGINS.split(',')
      .map((origin) => origin.trim())
      .filter((origin) => origin !== ''),
    broker: data.BROKER,
    instanceVersion: data.INSTANCE_VERSION,
    region: data.BROKER_REGION === '' ? undefined : data.BROKER_REGION,
  };
}
