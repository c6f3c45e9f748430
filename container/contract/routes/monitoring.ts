import { z } from 'zod';
import { METRICS_TYPE } from '../metrics/catalog.ts';
import { defineRoute, noParams, noQuery } from '../route.ts';
import { defineRead } from './read.ts';

/** The monitoring paths of the earlier bridges: the same places, and measured figures only. */

const tag = 'Monitoring';

export const getHealth = defineRoute({
  id: 'getHealth',
  method: 'GET',
  path: '/health',
  tag,
  summary: 'Whether the program answers; wakes nothing',
  scope: null,
  write: false,
  params: noParams,
  query: noQuery,
  answer: z.object({ status: z.literal('ok'), version: z.string() }).meta({ id: 'Health' }),
  status: 200,
  example: {},
});

export const getVersion = defineRead({
  id: 'getVersion',
  path: '/api/version',
  tag,
  summary: 'Versions of bridge, contract and MT5 server',
  params: noParams,
  query: noQuery,
  answer: z
    .object({ version: z.string(), contractVersion: z.int(), serverBuild: z.string().nullable() })
    .meta({ id: 'Version' }),
  example: {},
});

export const testConnection = defineRead({
  id: 'testConnection',
  path: '/api/test',
  tag,
  summary: 'Asks the MT5 server whether the session is there, and tells how long that took',
  params: noParams,
  query: noQuery,
  answer: z.object({ connected: z.literal(true), roundTripMs: z.number() }).meta({ id: 'ConnectionTest' }),
  example: {},
});

const quantiles = z.object({
  count: z.int(),
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
  max: z.number().nullable(),
});

export const getPerformanceMetrics = defineRead({
  id: 'getPerformanceMetrics',
  wide: true,
  path: '/performance/metrics',
  tag,
  summary: 'What the container programs measured; counters go on over restarts, processor time and delays do not',
  params: noParams,
  query: noQuery,
  answer: z
    .object({
      uptimeSeconds: z.number(),
      requests: z.object({
        total: z.int(),
        inFlight: z.int(),
        byStatus: z.record(z.string(), z.int()).meta({ description: 'By class: `2xx`, `4xx` …' }),
      }),
      durationMs: quantiles.meta({ description: 'Of the last 2048 requests.' }),
      upstream: z.record(z.string(), z.number()).meta({ description: 'Counters of the sessions with the MT5 server.' }),
      memory: z.object({ rssBytes: z.int(), heapUsedBytes: z.int() }),
      cpu: z.object({ userSeconds: z.number(), systemSeconds: z.number() }),
      eventLoopDelayMs: z.object({ mean: z.number(), p99: z.number(), max: z.number() }),
    })
    .meta({ id: 'PerformanceMetrics' }),
  example: {},
});

const kindCounts = z.object({
  hits: z.int(),
  misses: z.int(),
  invalidations: z.int(),
  hitRate: z.number().nullable().meta({ description: '`null` before the first look.' }),
});

const doorCounts = z.object({
  memoryHits: z.int().meta({ description: 'Answered from the memory of the Worker itself.' }),
  storeHits: z.int().meta({ description: 'Answered from the SQLite of its Durable Object.' }),
  staleHits: z.int().meta({ description: 'Of both, answered with what was old, and said to be.' }),
  misses: z.int().meta({ description: 'Sent on to the container.' }),
  invalidations: z.int(),
  hitRate: z.number().nullable().meta({ description: '`null` before the first look.' }),
});

export const getPerformanceCache = defineRead({
  id: 'getPerformanceCache',
  wide: true,
  path: '/performance/cache',
  tag,
  summary: 'The cache of reference data, by kind',
  params: noParams,
  query: noQuery,
  answer: z
    .object({
      reads: z.int().meta({ description: 'Reads of the broker that were asked for.' }),
      coalesced: z.int().meta({ description: 'Of these, joined to one under way.' }),
      entries: z.int(),
      maxEntries: z.int(),
      evictions: z.int(),
      byKind: z.object({ server: kindCounts, groups: kindCounts, symbols: kindCounts, logins: kindCounts }),
      door: z
        .object({
          entries: z.int(),
          byClass: z.object({ server: doorCounts, groups: doorCounts, symbols: doorCounts }),
        })
        .nullable()
        .meta({
          description: 'The Worker’s cache, since its Durable Object was made; `null` where there is no Worker.',
        }),
    })
    .meta({ id: 'PerformanceCache' }),
  example: {},
});

export const getStreamStatus = defineRead({
  id: 'getStreamStatus',
  wide: true,
  path: '/websocket/ws/status',
  tag,
  summary: 'Streams that the container serves',
  params: noParams,
  query: noQuery,
  answer: z
    .object({
      clients: z.int(),
      maxClients: z.int(),
      feed: z.record(z.string(), z.int()).meta({ description: 'Counters of the streams’ source.' }),
    })
    .meta({ id: 'StreamStatus' }),
  example: {},
});

export const getMetrics = defineRoute({
  id: 'getMetrics',
  method: 'GET',
  path: '/metrics',
  tag,
  summary: 'Everything that is measured, for Prometheus; wakes nothing',
  description:
    'The text format 0.0.4. Behind the Worker the figures of the container are the last that it told, and ' +
    '`mt5_figures_timestamp_seconds` says when. Alert rules and a dashboard for Grafana are in `scripts/deploy/observability`.',
  scope: 'operate',
  wide: true,
  write: false,
  params: noParams,
  query: noQuery,
  answer: z.string(),
  text: METRICS_TYPE,
  status: 200,
  example: {},
});

/** `Profiler.Profile` of V8's inspector protocol. */
const cpuProfile = z
  .object({
    nodes: z.array(
      z.object({
        id: z.int(),
        callFrame: z.object({
          functionName: z.string(),
          scriptId: z.string(),
          url: z.string(),
          lineNumber: z.int(),
          columnNumber: z.int(),
        }),
        hitCount: z.int().optional(),
        children: z.array(z.int()).optional(),
        deoptReason: z.string().optional(),
        positionTicks: z.array(z.object({ line: z.int(), ticks: z.int() })).optional(),
      }),
    ),
    startTime: z.number(),
    endTime: z.number(),
    samples: z.array(z.int()).optional(),
    timeDeltas: z.array(z.int()).optional(),
  })
  .meta({ id: 'CpuProfile' });

export const takeProfile = defineRoute({
  id: 'takeProfile',
  method: 'POST',
  path: '/admin/profile',
  tag,
  summary: 'Takes a CPU profile of the container program; needs ENABLE_PROFILING',
  description: 'The answer is the profile itself: save it as `.cpuprofile` and open it in a browser’s developer tools.',
  scope: 'operate',
  wide: true,
  write: false,
  params: noParams,
  query: z.strictObject({
    seconds: z
      .string()
      .regex(/^(?:[1-9]|1\d|20)$/, 'expected a whole number from 1 to 20')
      .transform(Number)
      .default(5)
      .meta({ openapi: { type: 'integer', minimum: 1, maximum: 20, default: 5 } }),
  }),
  answer: cpuProfile,
  status: 200,
  example: { query: { seconds: '1' } },
});

/** Typed routes under `/api/`, where every other path is passed through. */
export const TYPED_API_PATHS: ReadonlySet<string> = new Set([getVersion.path, testConnection.path]);

export const monitoringRoutes = [
  getHealth,
  getVersion,
  testConnection,
  getPerformanceMetrics,
  getPerformanceCache,
  getStreamStatus,
  getMetrics,
  takeProfile,
] as const;
