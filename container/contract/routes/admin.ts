import { z } from 'zod';
import { JOURNAL_EVENTS } from '../journal.ts';
import {
  circuitOut,
  CONTAINER_STATES,
  LIVE_SESSION_STATES,
  originOut,
  ORIGINS,
  SESSION_STATES,
} from '../schemas/status.ts';
import { defineRoute, noParams, noQuery } from '../route.ts';

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
  scope: 'operate',
  wide: true,
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

const checkpoint = z.object({
  epoch: z.int().meta({ description: 'Raised by each process that signs in; 0 = never signed in.' }),
  instanceId: z.string().nullable(),
  signedInAtMs: z.int().nullable(),
  serverBuild: z.string().nullable(),
  address: z.string().nullable().meta({ description: 'Which address of `MT5_SERVER` worked last.' }),
  clock: z
    .object({ zoneMinutes: z.int(), daylight: z.enum(['none', 'eu', 'us', 'au']) })
    .nullable()
    .meta({ description: 'The broker’s clock as last read.' }),
  failures: z.int().meta({ description: 'Sign-ins without success, in a row.' }),
  backoffUntilMs: z.int(),
  lastFailure: z
    .object({
      atMs: z.int(),
      kind: z.enum(['refused', 'unreachable', 'impostor', 'died']),
      retcode: z.int().nullable(),
      reason: z.string(),
    })
    .nullable(),
});

export const adminCheckpoint = defineRoute({
  id: 'adminCheckpoint',
  method: 'GET',
  path: '/admin/checkpoint',
  tag: 'Admin',
  summary: 'What outlives the container, without secrets',
  scope: 'operate',
  wide: true,
  write: false,
  params: noParams,
  query: noQuery,
  answer: z.object({
    upstream: checkpoint,
    counts: z.object({ consumerSessions: z.int(), unsettledOperations: z.int() }),
  }),
  status: 200,
  example: {},
});

const instanceState = z.object({
  container: z.enum(CONTAINER_STATES),
  session: z.enum(SESSION_STATES),
});

export const adminWarm = defineRoute({
  id: 'adminWarm',
  method: 'POST',
  path: '/admin/warm',
  tag: 'Admin',
  summary: 'Start the container and leave a session ready',
  scope: 'operate',
  wide: true,
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
  scope: 'operate',
  wide: true,
  write: false,
  params: noParams,
  query: noQuery,
  answer: instanceState,
  status: 200,
  example: {},
});

const tradingCalendar = z.object({
  zone: z.object({ zoneMinutes: z.int(), daylight: z.enum(['none', 'eu', 'us', 'au']) }),
  markets: z.array(
    z.object({
      symbols: z.array(z.string()),
      hours: z
        .array(z.array(z.int()))
        .meta({ description: 'Minutes of the server’s week from Sunday 00:00, each from and to.' }),
      holidays: z.array(
        z.object({
          year: z.int().meta({ description: '0 = every year.' }),
          month: z.int(),
          day: z.int(),
          open: z.array(z.int()).nullable().meta({ description: 'Minutes that stay open; null = none.' }),
        }),
      ),
    }),
  ),
});

export const adminPolicy = defineRoute({
  id: 'adminPolicy',
  method: 'GET',
  path: '/admin/policy',
  tag: 'Admin',
  summary: 'Why the container is awake or asleep, until when, and when it wakes next',
  scope: 'operate',
  wide: true,
  write: false,
  params: noParams,
  query: noQuery,
  answer: z.object({
    policy: z.enum(['calendar', 'learned', 'fixed']),
    symbols: z
      .array(z.string())
      .nullable()
      .meta({ description: 'Whose trading hours are known; null = not read yet.' }),
    awake: z.boolean(),
    until: z
      .string()
      .nullable()
      .meta({ description: 'Earliest sleep if nothing else happens; null = no end is known.' }),
    untilMs: z.int().nullable(),
    wakesAt: z.string().nullable().meta({ description: 'Next start without a request; null = a request starts it.' }),
    wakesAtMs: z.int().nullable(),
    why: z.string(),
    calendar: tradingCalendar.nullable().meta({ description: 'In the server’s time, as read from it.' }),
    usualHours: z.array(z.object({ hourOfWeek: z.int(), likelihood: z.number() })).meta({
      description: 'Hours from Sunday 00:00 UTC (0–167) in which requests came, and in what part of the weeks.',
    }),
    missed: z
      .array(z.object({ what: z.enum(['wake_up', 'cron']), due: z.string(), dueMs: z.int(), reason: z.string() }))
      .meta({
        description: 'The last wake-up and the last cron that did not come when they were due, the latest first.',
      }),
  }),
  status: 200,
  example: {},
});

export const adminOrigins = defineRoute({
  id: 'adminOrigins',
  method: 'GET',
  path: '/admin/origins',
  tag: 'Admin',
  summary: 'Who holds the session, since when and why, and how its fallback stands. Wakes nothing',
  scope: 'operate',
  wide: true,
  write: false,
  params: noParams,
  query: noQuery,
  answer: z.object({
    serving: originOut,
    fallbackAfterMs: z.int().meta({ description: 'The first has so long to be ready.' }),
    fallbackWrites: z.boolean().meta({ description: 'Whether writes go to the fallback as well.' }),
    origins: z
      .array(
        z.object({
          name: z.enum(ORIGINS),
          running: z.boolean().meta({ description: 'Its program is there, as far as is known.' }),
          instanceId: z.string().nullable(),
          session: z
            .enum(LIVE_SESSION_STATES)
            .nullable()
            .meta({ description: '`null`: nobody speaks for it; of a fallback that waits, that is as it should be.' }),
          circuit: circuitOut.meta({ description: 'Of the road to it.' }),
        }),
      )
      .meta({ description: 'In the order in which they are asked.' }),
  }),
  status: 200,
  example: {},
});

const billLine = z.object({
  part: z.string(),
  unit: z.string(),
  used: z.number(),
  included: z.number(),
  usd: z.number(),
});

export const adminCost = defineRoute({
  id: 'adminCost',
  method: 'GET',
  path: '/admin/cost',
  tag: 'Admin',
  summary:
    'What the bridge has cost on Cloudflare this month (UTC), by the journal, its own counts and list prices; on a VPS that it costs nothing there',
  scope: 'operate',
  wide: true,
  write: false,
  params: noParams,
  query: z.strictObject({
    instanceType: z.enum(['lite', 'basic', 'standard-1', 'standard-2', 'standard-3', 'standard-4']).optional(),
  }),
  answer: z.object({
    billedBy: z.enum(['cloudflare', 'host']).meta({
      description:
        '`host`: the bridge is alone on a VPS, whose price is not known here, and Cloudflare bills nothing; with ' +
        '`instanceType` the rest is what the same month would cost there.',
    }),
    instanceType: z.string().nullable().meta({
      description: 'As `INSTANCE_TYPE` says, or as asked for; `null` on a VPS.',
    }),
    awakeHours: z.number(),
    monthToDateUsd: z.string().meta({
      description: 'The plan included. Requests, messages and rows are counted; a tenth of the CPU is taken for busy.',
    }),
    atThisPaceUsd: z.string().meta({ description: 'The whole month, if it goes on so.' }),
    lines: z.array(billLine),
    budget: z
      .object({ usd: z.string(), state: z.enum(['within', 'projected', 'passed']) })
      .nullable()
      .meta({
        description: '`BUDGET_USD`; `projected`: passed by the end of the month at this pace. Nothing stops by it.',
      }),
    pricesRead: z.string().meta({ description: 'The day the price list is of.' }),
  }),
  status: 200,
  example: { query: { instanceType: 'basic' } },
});

export const adminSignInReset = defineRoute({
  id: 'adminSignInReset',
  method: 'POST',
  path: '/admin/sign-in/reset',
  tag: 'Admin',
  summary: 'Forget failed sign-ins and their back-off',
  scope: 'operate',
  wide: true,
  write: false,
  params: noParams,
  query: noQuery,
  answer: z.object({ reset: z.literal(true) }),
  status: 200,
  example: {},
});

export const adminRoutes = [
  adminJournal,
  adminCheckpoint,
  adminPolicy,
  adminOrigins,
  adminCost,
  adminWarm,
  adminSleep,
  adminSignInReset,
] as const;
