import { z } from 'zod';
import { keyHashSchema, keyIdSchema, keyLimitsSchema, keyRightsSchema } from '../key-records.ts';
import { SCOPES } from '../keys.ts';
import { defineRoute, noParams, noQuery } from '../route.ts';
import { instantMsOut, instantOut } from '../schemas/values.ts';

/** API keys: made, narrowed, rotated and revoked while the bridge runs. A door learns of it within five seconds. */

const tag = 'Keys';
const keyParams = z.strictObject({ id: keyIdSchema });

const apiKey = z
  .object({
    id: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    logins: z.string().nullable().meta({ description: 'Login mask like `1001,1005-1010`; `null` = every login.' }),
    brokers: z.array(z.string()).nullable().meta({ description: 'Brokers it may be used at; `null` = every one.' }),
    expiresAt: z.string().nullable(),
    ips: z.array(z.string()).nullable().meta({ description: 'Networks that it may be used from; `null` = any.' }),
    limits: keyLimitsSchema.nullable(),
    secrets: z.int().meta({ description: 'How many secrets open it: two while it is being rotated.' }),
    source: z.enum(['variable', 'admin']).meta({ description: '`variable`: named by `BRIDGE_API_KEYS`.' }),
    createdAt: instantOut,
    createdAtMs: instantMsOut,
    lastUsedAt: instantOut.nullable().meta({ description: 'To the minute; `null` = never.' }),
    lastUsedAtMs: instantMsOut.nullable(),
    revokedAt: instantOut.nullable(),
    revokedAtMs: instantMsOut.nullable(),
  })
  .meta({ id: 'ApiKey' });

const withSecret = z
  .object({
    key: z.string().nullable().meta({ description: 'The key itself, shown once; `null` where you gave its hash.' }),
    apiKey,
  })
  .meta({ id: 'ApiKeyWithSecret' });

const hash = keyHashSchema
  .optional()
  .meta({ description: 'Hash of a key that you made yourself (`npm run key`); without it the bridge makes one.' });

export const listKeys = defineRoute({
  id: 'listKeys',
  method: 'GET',
  path: '/admin/keys',
  tag,
  summary: 'Every API key with its rights and its last use, revoked ones too',
  scope: 'admin',
  wide: true,
  everyBroker: true,
  write: false,
  params: noParams,
  query: noQuery,
  answer: z.object({ items: z.array(apiKey) }),
  status: 200,
  example: {},
});

export const createKey = defineRoute({
  id: 'createKey',
  method: 'POST',
  path: '/admin/keys',
  tag,
  summary: 'Make an API key',
  scope: 'admin',
  wide: true,
  everyBroker: true,
  write: false,
  params: noParams,
  query: noQuery,
  body: keyRightsSchema.extend({ id: keyIdSchema, hash }),
  answer: withSecret,
  status: 201,
  example: { body: { id: 'desk-2', scopes: ['trade'], logins: '1001-1999', limits: { maxVolumeLots: '5.00' } } },
});

export const changeKey = defineRoute({
  id: 'changeKey',
  method: 'PATCH',
  path: '/admin/keys/{id}',
  tag,
  summary: 'Change what an API key may do',
  description: 'What is named changes, `null` takes a bound away. Its streams and its traders’ sessions end.',
  scope: 'admin',
  wide: true,
  everyBroker: true,
  write: false,
  params: keyParams,
  query: noQuery,
  body: z
    .strictObject({
      scopes: keyRightsSchema.shape.scopes.optional(),
      logins: keyRightsSchema.shape.logins.nullable(),
      brokers: keyRightsSchema.shape.brokers.nullable(),
      expiresAt: keyRightsSchema.shape.expiresAt.nullable(),
      ips: keyRightsSchema.shape.ips.nullable(),
      limits: keyRightsSchema.shape.limits.nullable(),
    })
    .refine((body) => Object.keys(body).length > 0, 'expected at least one change'),
  answer: apiKey,
  status: 200,
  example: { params: { id: 'desk-2' }, body: { scopes: ['read'] } },
});

export const rotateKey = defineRoute({
  id: 'rotateKey',
  method: 'POST',
  path: '/admin/keys/{id}/rotate',
  tag,
  summary: 'Give an API key a new secret',
  description: 'The old secret opens it too until the rotation is finished, unless `keepOld` is false.',
  scope: 'admin',
  wide: true,
  everyBroker: true,
  write: false,
  params: keyParams,
  query: noQuery,
  body: z.strictObject({ keepOld: z.boolean('expected true or false').default(true), hash }),
  bodyOptional: true,
  answer: withSecret,
  status: 200,
  example: { params: { id: 'desk-2' }, body: {} },
});

export const finishKeyRotation = defineRoute({
  id: 'finishKeyRotation',
  method: 'POST',
  path: '/admin/keys/{id}/rotate/finish',
  tag,
  summary: 'End the old secret of an API key',
  scope: 'admin',
  wide: true,
  everyBroker: true,
  write: false,
  params: keyParams,
  query: noQuery,
  answer: apiKey,
  status: 200,
  example: { params: { id: 'desk-2' } },
});

export const revokeKey = defineRoute({
  id: 'revokeKey',
  method: 'DELETE',
  path: '/admin/keys/{id}',
  tag,
  summary: 'Revoke an API key',
  description: 'For good, also if `BRIDGE_API_KEYS` names it. Its streams and its traders’ sessions end.',
  scope: 'admin',
  wide: true,
  everyBroker: true,
  write: false,
  params: keyParams,
  query: noQuery,
  answer: z.object({ revoked: z.boolean() }),
  status: 200,
  example: { params: { id: 'desk-2' } },
});

export const keyRoutes = [listKeys, createKey, changeKey, rotateKey, finishKeyRotation, revokeKey] as const;
