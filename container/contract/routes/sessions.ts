import { z } from 'zod';
import { defineRoute, noParams, noQuery } from '../route.ts';
import { SCOPES } from '../keys.ts';
import { passwordBody } from '../schemas/operation.ts';
import { instantMsOut, instantOut, loginBody, loginIn, loginOut } from '../schemas/values.ts';

/** A trader's own session: a token for one login. */

const consumerSession = z
  .object({
    id: z.string(),
    login: loginOut,
    scopes: z.array(z.enum(SCOPES)),
    openedBy: z.string().meta({ description: 'Id of the key that opened it.' }),
    createdAt: instantOut,
    createdAtMs: instantMsOut,
    expiresAt: instantOut,
    expiresAtMs: instantMsOut,
    lastSeenAt: instantOut,
    lastSeenAtMs: instantMsOut,
  })
  .meta({ id: 'ConsumerSession' });

export const openSession = defineRoute({
  id: 'openSession',
  method: 'POST',
  path: '/v1/sessions',
  tag: 'Sessions',
  summary: 'Open a session for a trader',
  description:
    'The broker checks the password: the main one gives `trade` where the key has it, the investor’s gives `read`. ' +
    'The token is shown once; send it as `Authorization: Bearer …`. It outlives the container.',
  scope: 'read',
  write: false,
  params: noParams,
  query: noQuery,
  body: z.strictObject({ login: loginBody, password: passwordBody }),
  answer: consumerSession.extend({ token: z.string() }).meta({ id: 'OpenedSession' }),
  status: 201,
  logins: ({ body }) => [body.login],
  example: { body: { login: 1001, password: 'Client1001!' } },
});

export const getCurrentSession = defineRoute({
  id: 'getCurrentSession',
  method: 'GET',
  path: '/v1/sessions/current',
  tag: 'Sessions',
  summary: 'The session whose token asks',
  scope: 'read',
  write: false,
  params: noParams,
  query: noQuery,
  answer: consumerSession,
  status: 200,
  example: {},
});

const revoked = z.object({ revoked: z.boolean() });

export const endCurrentSession = defineRoute({
  id: 'endCurrentSession',
  method: 'DELETE',
  path: '/v1/sessions/current',
  tag: 'Sessions',
  summary: 'End the session whose token asks',
  scope: 'read',
  write: false,
  params: noParams,
  query: noQuery,
  answer: revoked,
  status: 200,
  example: {},
});

export const listSessions = defineRoute({
  id: 'listSessions',
  method: 'GET',
  path: '/v1/sessions',
  tag: 'Sessions',
  summary: 'Open sessions of traders',
  scope: 'manage',
  write: false,
  params: noParams,
  query: z.strictObject({ login: loginIn.optional() }),
  answer: z.object({ items: z.array(consumerSession), nextCursor: z.null() }),
  status: 200,
  example: { query: { login: '1001' } },
});

export const revokeSession = defineRoute({
  id: 'revokeSession',
  method: 'DELETE',
  path: '/v1/sessions/{id}',
  tag: 'Sessions',
  summary: 'End a trader’s session',
  scope: 'manage',
  write: false,
  params: z.strictObject({ id: z.string().regex(/^[0-9a-f]{16}$/, 'expected the id of a session') }),
  query: noQuery,
  answer: revoked,
  status: 200,
  example: { params: { id: '00112233445566aa' } },
});

/** `current` before `{id}`: the first match serves. */
export const sessionRoutes = [openSession, getCurrentSession, endCurrentSession, listSessions, revokeSession] as const;
