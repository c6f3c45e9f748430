import { z } from 'zod';
import { defineRoute } from '../route.ts';
import { instantMsOut, instantOut, limitIn, listOf, loginIn } from '../schemas/values.ts';

/** Closed days, kept outside the broker: never mixed into what is read from the broker. No container is woken for it. */

const tag = 'Archive';

export const ARCHIVE_KINDS = ['deals', 'daily-reports'] as const;
export type ArchiveKind = (typeof ARCHIVE_KINDS)[number];

const kindIn = z.enum(ARCHIVE_KINDS, { error: `expected ${ARCHIVE_KINDS.join(' or ')}` });
const dayIn = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, 'expected a day like "2026-01-31"')
  .meta({ description: 'UTC.' });

const archivedDay = z
  .object({
    day: z.string().meta({ description: 'UTC, `2026-01-31`.' }),
    items: z.int().meta({ description: 'Deals or reports of all accounts on that day.' }),
    bytes: z.int().meta({ description: 'As they are stored, compressed.' }),
    objects: z
      .array(z.object({ key: z.string(), items: z.int(), bytes: z.int(), sha256: z.string() }))
      .meta({ description: 'NDJSON, gzip: their names in the bucket or folder, and the SHA-256 of their lines.' }),
    readAt: instantOut.meta({ description: 'When the broker was asked.' }),
    readAtMs: instantMsOut,
  })
  .meta({ id: 'ArchivedDay' });

export const listArchive = defineRoute({
  id: 'listArchive',
  method: 'GET',
  path: '/v1/archive/{kind}',
  tag,
  summary: 'Days that the archive holds, oldest first',
  description:
    'A day (UTC) is there whole or not at all. It is kept some hours after it ended, at the next cron; days that were ' +
    'missed follow one after the other.',
  scope: 'operate',
  wide: true,
  write: false,
  params: z.strictObject({ kind: kindIn }),
  query: z.strictObject({
    from: dayIn.optional(),
    to: dayIn.optional(),
    limit: limitIn(31, 100),
    cursor: dayIn.optional().meta({ description: '`nextCursor` of the page before.' }),
  }),
  answer: listOf(archivedDay).extend({
    fault: z.string().nullable().meta({ description: 'Why the next day is not kept yet; `null` = nothing is wrong.' }),
  }),
  status: 200,
  example: { params: { kind: 'deals' }, query: { limit: '7' } },
});

export const readArchive = defineRoute({
  id: 'readArchive',
  method: 'GET',
  path: '/v1/archive/{kind}/{day}',
  tag,
  summary: 'Deals or daily reports of a closed day, as the broker told them then',
  description:
    'As `/v1/deals` and `/v1/daily-reports` tell them, decimals as strings; without name and e-mail address. ' +
    '`Accept: application/x-ndjson` gives all of them, without pages.',
  scope: 'operate',
  wide: true,
  write: false,
  lines: true,
  params: z.strictObject({ kind: kindIn, day: dayIn }),
  query: z.strictObject({
    login: loginIn.optional(),
    limit: limitIn(100, 1000),
    cursor: z
      .string()
      .regex(/^\d{1,9}\.\d{1,9}$/, 'expected a cursor as given in nextCursor')
      .optional()
      .meta({ description: '`nextCursor` of the page before.' }),
  }),
  answer: listOf(z.record(z.string(), z.unknown())),
  status: 200,
  example: { params: { kind: 'deals', day: '2026-01-30' }, query: { login: '1001' } },
});

export const archiveRoutes = [listArchive, readArchive] as const;
