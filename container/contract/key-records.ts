import { z } from 'zod';
import { BridgeError } from './errors.ts';
import { jsonVariable } from './json-variable.ts';
import { inNetworks, isNetwork } from './address.ts';
import { brokerIdSchema } from './brokers.ts';
import { type Caller, type LoginMask, parseLoginMask, requireBroker, SCOPES } from './keys.ts';

/** API keys as they are configured and kept: by hash, never in clear. */

export const keyIdSchema = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'expected 1–64 of A–Z a–z 0–9 _ . -');
export const keyHashSchema = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'expected "sha256:" and 64 hex digits (npm run key makes one)');

const LOTS = 'expected lots as a decimal string like "5.00"';
const AMOUNT = 'expected an amount as a decimal string like "1000.00"';
const decimal = (error: string): z.ZodString => z.string().regex(/^\d{1,12}(\.\d{1,8})?$/, error);

export const keyLimitsSchema = z.strictObject({
  symbols: z.array(z.string().min(1).max(64)).min(1, 'expected at least one symbol').max(1000).optional(),
  maxVolumeLots: decimal(LOTS).optional(),
  ordersPerMinute: z.int('expected a whole number').min(1).max(100_000).optional(),
  maxPositions: z.int('expected a whole number').min(1).max(100_000).optional(),
  maxExposureLots: decimal(LOTS).optional(),
  reduceOnly: z.boolean('expected true or false').optional(),
  maxAmount: decimal(AMOUNT).optional(),
  maxAmountPerDay: decimal(AMOUNT).optional(),
});

const instant = z
  .string()
  .refine(
    (text) => /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text) && !Number.isNaN(Date.parse(text)),
    'expected an instant like "2027-01-31T12:00:00Z"',
  );

/** Everything of a key but what it is called and known by. */
export const keyRightsSchema = z.strictObject({
  scopes: z
    .array(z.enum(SCOPES, `expected of ${SCOPES.join(', ')}`))
    .min(1, `expected at least one of ${SCOPES.join(', ')}`),
  logins: z
    .string()
    .refine((text) => readMask(text) !== undefined, 'expected numbers and ranges like "1001,1005-1010"')
    .optional(),
  brokers: z.array(brokerIdSchema).min(1, 'expected at least one broker').max(100).optional(),
  expiresAt: instant.optional(),
  ips: z
    .array(z.string().refine(isNetwork, 'expected an address or network like "203.0.113.0/24"'))
    .min(1, 'expected at least one network')
    .max(100)
    .optional(),
  limits: keyLimitsSchema.optional(),
});

export const keyRecordSchema = keyRightsSchema.extend({
  id: keyIdSchema,
  hash: z.union([keyHashSchema, z.array(keyHashSchema).min(1).max(2, 'expected at most two hashes')], {
    error: 'expected "sha256:" and 64 hex digits, or a list of two of them (npm run key makes one)',
  }),
});
export type KeyRecord = z.infer<typeof keyRecordSchema>;

/** A key as a door compares with it. */
export interface ApiKey {
  readonly hashes: readonly string[];
  readonly caller: Caller;
  /** Networks that it may come from; absent = any. */
  readonly ips?: readonly string[];
}

function readMask(text: string): LoginMask | undefined {
  try {
    return parseLoginMask(text);
  } catch {
    return undefined;
  }
}

export function apiKeyOf({ id, hash, scopes, logins, brokers, expiresAt, ips, limits }: KeyRecord): ApiKey {
  const mask = logins === undefined ? undefined : readMask(logins);
  return {
    hashes: [hash].flat(),
    caller: {
      id,
      scopes,
      ...(mask ? { logins: mask } : {}),
      ...(brokers ? { brokers } : {}),
      ...(expiresAt === undefined ? {} : { expiresAtMs: Date.parse(expiresAt) }),
      ...(limits ? { limits: limits as NonNullable<Caller['limits']> } : {}),
    },
    ...(ips ? { ips } : {}),
  };
}

/** The value of `BRIDGE_API_KEYS`: JSON list of keys, by hash. Ids are unique. */
export const apiKeysSchema = jsonVariable('expected a JSON list of {"id","hash","scopes","logins"?}')
  .pipe(z.array(keyRecordSchema).min(1, 'expected at least one key'))
  .refine((keys) => new Set(keys.map((key) => key.id)).size === keys.length, 'expected unique ids');

/** Where a request comes from, asked only of keys that are bound to networks; when; and to which broker it goes. */
export interface KeyUse {
  readonly address: () => string | undefined;
  readonly nowMs: number;
  readonly broker: string;
}

/** Keys by their hashes: of secrets of 256 bits, so that how long a look takes tells nothing of them. */
export class KeyRing {
  readonly #byHash: ReadonlyMap<string, ApiKey>;

  constructor(keys: Iterable<ApiKey>) {
    this.#byHash = new Map([...keys].flatMap((key) => key.hashes.map((hash) => [hash, key] as const)));
  }

  /**
   * @returns `undefined` for a hash that no key has, and for a key that has expired
   * @throws BridgeError `address_not_allowed` · `broker_not_allowed`
   */
  find(hash: string, { address, nowMs, broker }: KeyUse): Caller | undefined {
    const key = this.#byHash.get(hash);
    if (!key || (key.caller.expiresAtMs ?? Infinity) <= nowMs) return undefined;
    const from = key.ips && address();
    if (key.ips && !(from !== undefined && inNetworks(from, key.ips)))
      throw new BridgeError('address_not_allowed', 'The key may not be used from this address.');
    requireBroker(key.caller, broker);
    return key.caller;
  }
}
