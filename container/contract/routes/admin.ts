import { z } from 'zod';
import { JOURNAL_EVENTS } from '../journal.ts';
import { type AnyRoute, defineRoute, noParams, noQuery } from '../route.ts';

/** What an administrator may look at and do. Behind the Worker the Durable Object answers these without waking. */

const instant = { at: z.string(), atMs: z.int() };

const journalEntry = z.object({
  ...instant,
  event: z.enum(JOURNAL_EVENTS),
  reason: z.string(),
  instanceId: z.string().nullable(),
  epoch: z.int().nullable(),
  phasesMs: z.record(z.string(), z.number()).nullable().meta({ description: 'Cold-start phases in ms' }),
});

export const adminJournal = defineRoute({
  id: 'adminJournal',
  method: 'GET',
  path: '/admin/journal',
  tag: 'Admin',
  summary: 'Every start and stop of the container, newest first',
  scope: 'admin',
  write: false,
  params: noParams,
  query: z.strictObject({
    limit: z
      .string()
      .regex(/^[1-9]\d{0,2}$/, 'expected 1–999')
      .transform(Number)
      .default(100),
  }),
  answer: z.object({ items: z.array(journalEntry) }),
  status: 200,
  example: { query: { limit: '20' } },
});

export const adminCheckpoint = defineRoute({
  id: 'adminCheckpoint',
  method: 'GET',
  path: '/admin/checkpoint',
  tag: 'Admin',
  summary: 'What outlives the container, without secrets',
  scope: 'admin',
  write: false,
  params: noParams,
  query: noQuery,
  answer: z.object({ upstream: z.record(z.string(), z.unknown()), counts: z.record(z.string(), z.int()) }),
  status: 200,
  example: {},
});

const instanceState = z.object({
  container: z.enum(['stopped', 'starting', 'running', 'stopping']),
  session: z.string(),
});

export const adminWarm = defineRoute({
  id: 'adminWarm',
  method: 'POST',
  path: '/admin/warm',
  tag: 'Admin',
  summary: 'Start the container and leave a session ready',
  scope: 'admin',
  write: false,
  params: noParams,
  query: noQuery,
  answer: instanceState,
  status: 200,
  example: {},
});

export const adminSleep = defineRoute({
  id: 'adminSleep',
  method: 'POST',
  path: '/admin/sleep',
  tag: 'Admin',
  summary: 'Let the container finish what is in flight and stop',
  scope: 'admin',
  write: false,
  params: noParams,
  query: noQuery,
  answer: instanceState,
  status: 200,
  example: {},
});

export const adminSignInReset = defineRoute({
  id: 'adminSignInReset',
  method: 'POST',
  path: '/admin/sign-in/reset',
  tag: 'Admin',
  summary: 'Forget failed sign-ins and their back-off',
  scope: 'admin',
  write: false,
  params: noParams,
  query: noQuery,
  answer: z.object({ reset: z.literal(true) }),
  status: 200,
  example: {},
});

export const adminRoutes: readonly AnyRoute[] = [
  adminJournal,
  adminCheckpoint,
  adminWarm,
  adminSleep,
  adminSignInReset,
];
