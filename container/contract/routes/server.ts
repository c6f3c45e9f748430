import { z } from 'zod';
import { clusterOut } from '../cluster.ts';
import { keyLimitsSchema } from '../key-records.ts';
import { SCOPES } from '../keys.ts';
import { noParams, noQuery } from '../route.ts';
import { TIMEFRAMES } from '../schemas/market.ts';
import {
  CONTAINER_STATES,
  SESSION_STATES,
  sleepPlan,
  circuitsOut,
  originOut,
  toldStatus,
  VERDICT_LEVELS,
  WARNING_CODES,
} from '../schemas/status.ts';
import { instantMsOut, instantOut } from '../schemas/values.ts';
import { defineRead } from './read.ts';

const tag = 'Bridge';

export const getKeySelf = defineRead({
  id: 'getKeySelf',
  path: '/v1/keys/self',
  tag,
  summary: 'What the key that asks may do',
  params: noParams,
  query: noQuery,
  answer: z
    .object({
      id: z.string(),
      scopes: z.array(z.enum(SCOPES)),
      logins: z.string().nullable().meta({ description: 'Login mask like `1001,1005-1010`; `null` = every login.' }),
      brokers: z.array(z.string()).nullable().meta({ description: 'Brokers it may be used at; `null` = every one.' }),
      expiresAt: z.string().nullable(),
      limits: keyLimitsSchema.nullable(),
    })
    .meta({ id: 'KeySelf' }),
  example: {},
});

export const getServer = defineRead({
  id: 'getServer',
  path: '/v1/server',
  tag,
  summary: 'The MT5 server: name, build, clock, limits and totals',
  params: noParams,
  query: noQuery,
  answer: z
    .object({
      name: z.string().nullable(),
      owner: z.string().nullable(),
      product: z.string().nullable(),
      build: z.string().nullable(),
      clock: z.object({
        serverTime: z.string().meta({ description: 'What the broker’s clock shows, without a zone.' }),
        utcAt: instantOut,
        utcAtMs: instantMsOut,
        utcOffsetSeconds: z.int().meta({ description: 'Server time minus UTC, now.' }),
        zoneMinutes: z.int().meta({ description: 'Minutes east of Greenwich, in winter.' }),
        daylight: z.enum(['none', 'eu', 'us', 'au']).meta({ description: 'Whose calendar of summer time it follows.' }),
        measuredOffsetMs: z
          .int()
          .nullable()
          .meta({ description: 'Server time minus UTC as seen when the clock was last read.' }),
      }),
      limits: z.record(z.string(), z.int().nullable()),
      totals: z
        .record(z.string(), z.int().nullable())
        .meta({ description: 'Of the whole broker; empty for a key or session that is bound to some logins.' }),
    })
    .meta({ id: 'Server' }),
  cacheable: 'server',
  example: {},
});

const sessionStatus = z.object({
  state: z.enum(SESSION_STATES),
  epoch: z.int().nullable(),
  since: z.string(),
  sinceMs: z.int(),
  reason: z.string().nullable(),
  retcode: z.int().nullable(),
  connections: z.int(),
  retryAtMs: z.int().nullable(),
  serverBuild: z.string().nullable().meta({ description: 'Of the MT5 server, as it said when the session signed in.' }),
});

export const getStatus = defineRead({
  id: 'getStatus',
  path: '/v1/status',
  tag,
  summary: 'The whole road as last known; starts nothing',
  params: noParams,
  query: noQuery,
  answer: z
    .object({
      level: z.enum(VERDICT_LEVELS).meta({
        description: '`look`: it works, and something waits for a person; `bad`: a request would not be served.',
      }),
      verdict: z.string().meta({ description: 'All of it in words: `Connected. One order needs a look.`' }),
      ready: z.boolean(),
      reason: z.string().nullable(),
      session: sessionStatus,
      container: z.object({
        state: z.enum(CONTAINER_STATES),
        since: z.string(),
        sinceMs: z.int(),
        streams: z.int().meta({ description: 'Clients and hubs.' }),
        unsettled: z.int().meta({ description: 'Operations that are pending or unknown.' }),
        inFlight: z.int().meta({ description: 'Requests being answered.' }),
      }),
      operations: z.object({
        unsettled: z.int().meta({ description: 'Pending or unknown: the bridge settles them by itself.' }),
        needLook: z
          .object({ orders: z.int(), others: z.int() })
          .meta({ description: '`unresolved`: the broker’s books cannot tell what became of them; a person must.' }),
      }),
      halted: z.string().nullable().meta({ description: 'Why everybody’s trading is halted; `null` = it is not.' }),
      sleep: sleepPlan.nullable().meta({ description: '`null` on a VPS: nothing sleeps there.' }),
      origin: originOut,
      circuits: circuitsOut,
      ...toldStatus,
      warnings: z
        .array(z.object({ code: z.enum(WARNING_CODES), since: z.string(), sinceMs: z.int(), reason: z.string() }))
        .meta({ description: 'What an operator should look at while everything goes on; of the last day.' }),
      audit: z
        .object({ pending: z.int(), oldestAtMs: instantMsOut.nullable(), fault: z.string().nullable() })
        .nullable()
        .optional()
        .meta({
          description:
            'Events that wait for the audit’s store, and why; `null` = no audit is kept. Not told by `/readyz`.',
        }),
      cluster: clusterOut.nullable().optional().meta({
        description: 'Of several replicas (`CLUSTER`), who holds the session; `null` = there is one. Only on a VPS.',
      }),
    })
    .meta({ id: 'Status' }),
  example: {},
});

/** One shape on both roads. */
export type StatusAnswer = z.input<typeof getStatus.answer>;
export type StatusWarning = StatusAnswer['warnings'][number];

export const listBrokers = defineRead({
  id: 'listBrokers',
  path: '/v1/brokers',
  tag,
  summary: 'The brokers that the key may be used at, and how each is; starts nothing',
  params: noParams,
  query: noQuery,
  answer: z.object({
    items: z.array(
      z
        .object({
          id: z.string(),
          path: z
            .string()
            .meta({ description: 'Before every path of this broker; bare paths are those of the first.' }),
          region: z.string().nullable().meta({ description: 'Where its Durable Objects are; `null` = not chosen.' }),
          ready: z.boolean(),
          reason: z.string().nullable(),
          session: z.enum(SESSION_STATES).nullable().meta({ description: '`null`: it did not tell in time.' }),
          container: z.enum(CONTAINER_STATES).nullable(),
        })
        .meta({ id: 'BrokerStatus' }),
    ),
    nextCursor: z.null(),
  }),
  example: {},
});

export type BrokerItem = z.input<typeof listBrokers.answer>['items'][number];

export const getCapabilities = defineRead({
  id: 'getCapabilities',
  path: '/v1/capabilities',
  tag,
  summary: 'What this bridge can do, and its limits',
  params: noParams,
  query: noQuery,
  answer: z
    .object({
      version: z.string(),
      contractVersion: z.int(),
      timeframes: z.array(z.enum(TIMEFRAMES)),
      operations: z.array(z.string()).meta({ description: 'operationIds of the routes that are served.' }),
      streamTopics: z.array(z.string()),
      limits: z.object({
        batchRequests: z.int(),
        bodyBytes: z.int(),
        pageItems: z.int(),
        symbolsPerRequest: z.int(),
        loginsPerRequest: z.int(),
      }),
    })
    .meta({ id: 'Capabilities' }),
  example: {},
});

export const serverRoutes = [getServer, getStatus, listBrokers, getCapabilities, getKeySelf] as const;
