import { z } from 'zod';
import { EVENT_PATTERN, eventSchema } from '../events.ts';
import type { Table } from '../lines.ts';
import { defineRoute, noParams, noQuery } from '../route.ts';
import { IN_ORDER, inOrder, instantIn, instantMsOut, instantOut, limitIn, listOf, loginIn } from '../schemas/values.ts';

/** Who did what: every event, chained. Behind the Worker the outbox's Durable Object answers, and wakes no container. */

const tag = 'Audit';
const hash = z.string().meta({ description: '64 hex digits.' });

const auditRecord = z
  .object({
    seq: z.int().meta({ description: 'From 1, without a gap.' }),
    prev: hash.meta({ description: '`hash` of the record before.' }),
    digest: hash.meta({ description: 'SHA-256 of the event’s JSON as it was written.' }),
    hash: hash.meta({ description: 'SHA-256 of `seq`, `prev` and `digest`, joined by line feeds.' }),
    event: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: 'As it was told; `audit.day` closes a day, signed; `null` = erased.' }),
  })
  .meta({ id: 'AuditRecord' });

export const eventPatternIn = z
  .string()
  .regex(EVENT_PATTERN, 'expected a type like "operation.done", a family like "operation.*", or "*"')
  .meta({ description: 'Type of event, or a family of them.' });

export const AUDIT_TABLE = {
  of: 'all',
  columns: ['seq', 'time', 'type', 'broker', 'caller', 'address', 'requestId', 'login', 'id', 'data', 'hash'],
  cells: (row: object) => {
    const { seq, event, hash: own } = row as z.output<typeof auditRecord>;
    const text = (name: string): string | number | null => {
      const value = event?.[name];
      return typeof value === 'string' || typeof value === 'number' ? value : null;
    };
    const data = event?.['data'] ?? (event && event['type'] === 'audit.day' ? event : null);
    const named = ['time', 'type', 'broker', 'caller', 'address', 'requestId', 'login', 'id'].map(text);
    return [seq, ...named, data === null ? null : JSON.stringify(data), own];
  },
} satisfies Table;

export const listAudit = defineRoute({
  id: 'listAudit',
  method: 'GET',
  path: '/v1/audit',
  tag,
  summary: 'The audit, oldest first',
  description:
    'What happened in the last seconds is stored first. A page may hold fewer records than `limit` and still name the ' +
    'next one. `Accept: application/x-ndjson` or `text/csv` gives all of them, without pages.',
  scope: 'operate',
  wide: true,
  write: false,
  lines: true,
  table: AUDIT_TABLE,
  params: noParams,
  query: z
    .strictObject({
      from: instantIn.optional(),
      to: instantIn.optional(),
      type: eventPatternIn.optional(),
      login: loginIn.optional(),
      caller: z
        .string()
        .regex(/^[\x21-\x7e]{1,100}$/, 'expected the id of a key')
        .optional()
        .meta({ description: 'Who asked: a key, `<key>/<login>` of a trader’s session, or `bridge`.' }),
      limit: limitIn(100, 1000),
      cursor: z
        .string()
        .regex(/^\d{4}\/\d{2}\/\d{2}\/\d{15}\.\d{1,9}$/, 'expected a cursor as given in nextCursor')
        .optional()
        .meta({ description: '`nextCursor` of the page before.' }),
    })
    .refine(inOrder, IN_ORDER),
  answer: listOf(auditRecord),
  status: 200,
  example: { query: { type: 'operation.*', limit: '10' } },
});

export const getAuditHead = defineRoute({
  id: 'getAuditHead',
  method: 'GET',
  path: '/v1/audit/head',
  tag,
  summary: 'The last record of the audit, and what waits to be stored',
  description:
    'Keep `hash` and `publicKey` elsewhere: `npm run audit:verify -- <folder or bucket> --head <hash> --key <publicKey>` ' +
    'then finds what was altered, removed or cut off.',
  scope: 'operate',
  wide: true,
  write: false,
  params: noParams,
  query: noQuery,
  answer: z.object({
    seq: z.int().meta({ description: '0 = nothing is stored yet.' }),
    hash,
    day: z.string().nullable().meta({ description: 'UTC, `2026-01-31`.' }),
    publicKey: z.string().nullable().meta({ description: 'Ed25519, base64url: days are signed with it.' }),
    pending: z.int().meta({ description: 'Events that are kept here and not stored yet.' }),
    oldestPendingAt: instantOut.nullable(),
    oldestPendingAtMs: instantMsOut.nullable(),
    fault: z.string().nullable().meta({ description: 'Why they are not stored; `null` = nothing is wrong.' }),
  }),
  status: 200,
  example: {},
});

export const listEvents = defineRoute({
  id: 'listEvents',
  method: 'GET',
  path: '/v1/events',
  tag,
  summary: 'The last events, the newest first',
  description:
    'As they wait for the audit and for webhooks, whether or not there are any: of the last seven days at most. For ' +
    'longer ask `GET /v1/audit`.',
  scope: 'operate',
  wide: true,
  write: false,
  params: noParams,
  query: z.strictObject({ limit: limitIn(50, 200) }),
  answer: listOf(eventSchema.meta({ id: 'Event' })),
  status: 200,
  example: { query: { limit: '10' } },
});

export const auditRoutes = [listAudit, getAuditHead, listEvents] as const;
