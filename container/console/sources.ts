import type { BridgeClient, paths } from '../client/index.ts';
import { type Metrics, parseMetrics } from './metrics.ts';

/**
 * Where the page's figures come from: routes of the public API, none of which wakes the container or counts as use.
 * Nothing is shown that is not in one of these answers.
 */

type JsonOf<Path extends keyof paths> = paths[Path] extends {
  get: { responses: { 200: { content: { 'application/json': infer Answer } } } };
}
  ? Answer
  : never;

export interface Answers {
  readonly status: JsonOf<'/v1/status'>;
  readonly brokers: Pick<JsonOf<'/v1/brokers'>, 'items'>;
  readonly operations: Pick<JsonOf<'/v1/operations'>, 'items'>;
  readonly trading: JsonOf<'/admin/trading'>;
  readonly journal: JsonOf<'/admin/journal'>;
  readonly checkpoint: JsonOf<'/admin/checkpoint'>;
  readonly policy: JsonOf<'/admin/policy'>;
  readonly cost: JsonOf<'/admin/cost'>;
  readonly keys: JsonOf<'/admin/keys'>;
  readonly events: Pick<JsonOf<'/v1/events'>, 'items'>;
  readonly webhooks: Pick<JsonOf<'/v1/webhooks'>, 'items'>;
  readonly deliveries: { readonly items: readonly Delivery[] };
  readonly metrics: Metrics;
}

/** An attempt, and whom it was for. */
export type Delivery = JsonOf<'/v1/webhooks/{id}/deliveries'>['items'][number] & { readonly url: string };

export type SourceName = keyof Answers;

export type Scope = 'read' | 'trade' | 'manage' | 'operate' | 'admin';

interface Source<Name extends SourceName> {
  /** As shown beside the figures. */
  readonly path: string;
  readonly scope: Scope;
  /** Of what runs on Cloudflare only: a bridge alone on a VPS is not asked. */
  readonly edgeOnly?: true;
  /** Asked so often while the page is seen. */
  readonly everyMs: number;
  readonly ask: (client: BridgeClient, signal: AbortSignal, scopes: readonly string[]) => Promise<Answers[Name]>;
}

const OFTEN_MS = 5_000;
/** The container tells its figures so often. */
const METRICS_MS = 10_000;
const SOMETIMES_MS = 15_000;
const SELDOM_MS = 60_000;
/** States of operations that nobody can tell the end of yet. */
const UNSETTLED = ['unknown', 'unresolved', 'pending'] as const;
const JOURNAL_LIMIT = '200';
const EVENTS_LIMIT = 30;
/** Of each receiver, and of how many of them. */
const DELIVERIES_LIMIT = 10;
const RECEIVERS_LOOKED_AT = 10;

export const SOURCES: { readonly [Name in SourceName]: Source<Name> } = {
  status: {
    path: '/v1/status',
    scope: 'read',
    everyMs: OFTEN_MS,
    ask: async (client, signal) => (await client.GET('/v1/status', { signal })).data,
  },
  brokers: {
    path: '/v1/brokers',
    scope: 'read',
    everyMs: SOMETIMES_MS,
    ask: async (client, signal) => (await client.GET('/v1/brokers', { signal })).data,
  },
  operations: {
    path: '/v1/operations',
    scope: 'read',
    everyMs: SOMETIMES_MS,
    ask: async (client, signal, scopes) => {
      // Those of every key, for who may see them.
      const whose = allows(scopes, 'operate') ? { caller: '*' } : {};
      const pages = await Promise.all(
        UNSETTLED.map((state) =>
          client.GET('/v1/operations', { params: { query: { state, limit: 100, ...whose } }, signal }),
        ),
      );
      return { items: pages.flatMap(({ data }) => data.items) };
    },
  },
  trading: {
    path: '/admin/trading',
    scope: 'operate',
    everyMs: SOMETIMES_MS,
    ask: async (client, signal) => (await client.GET('/admin/trading', { signal })).data,
  },
  journal: {
    path: '/admin/journal',
    scope: 'operate',
    everyMs: SOMETIMES_MS,
    ask: async (client, signal) =>
      (await client.GET('/admin/journal', { params: { query: { limit: JOURNAL_LIMIT } }, signal })).data,
  },
  checkpoint: {
    path: '/admin/checkpoint',
    scope: 'operate',
    everyMs: SOMETIMES_MS,
    ask: async (client, signal) => (await client.GET('/admin/checkpoint', { signal })).data,
  },
  policy: {
    path: '/admin/policy',
    edgeOnly: true,
    scope: 'operate',
    everyMs: SOMETIMES_MS,
    ask: async (client, signal) => (await client.GET('/admin/policy', { signal })).data,
  },
  cost: {
    path: '/admin/cost',
    edgeOnly: true,
    scope: 'operate',
    everyMs: SELDOM_MS,
    ask: async (client, signal) => (await client.GET('/admin/cost', { signal })).data,
  },
  keys: {
    path: '/admin/keys',
    scope: 'admin',
    everyMs: SELDOM_MS,
    ask: async (client, signal) => (await client.GET('/admin/keys', { signal })).data,
  },
  events: {
    path: '/v1/events',
    scope: 'operate',
    everyMs: SOMETIMES_MS,
    ask: async (client, signal) =>
      (await client.GET('/v1/events', { params: { query: { limit: EVENTS_LIMIT } }, signal })).data,
  },
  webhooks: {
    path: '/v1/webhooks',
    scope: 'manage',
    everyMs: SOMETIMES_MS,
    ask: async (client, signal) => (await client.GET('/v1/webhooks', { signal })).data,
  },
  deliveries: {
    path: '/v1/webhooks/{id}/deliveries',
    scope: 'manage',
    everyMs: SOMETIMES_MS,
    ask: async (client, signal) => {
      const { items: receivers } = (await client.GET('/v1/webhooks', { signal })).data;
      const lists = await Promise.all(
        receivers.slice(0, RECEIVERS_LOOKED_AT).map(async ({ id, url }) => {
          const params = { path: { id }, query: { limit: DELIVERIES_LIMIT } };
          const { data } = await client.GET('/v1/webhooks/{id}/deliveries', { params, signal });
          return data.items.map((attempt) => ({ ...attempt, url }));
        }),
      );
      return { items: lists.flat().sort((a, b) => b.atMs - a.atMs) };
    },
  },
  metrics: {
    path: '/metrics',
    scope: 'operate',
    everyMs: METRICS_MS,
    ask: async (client, signal) => {
      const { data } = (await client.GET('/metrics', { parseAs: 'text', signal })) as { data: unknown };
      return parseMetrics(String(data));
    },
  },
};
export const SOURCE_NAMES = Object.keys(SOURCES) as SourceName[];

/** Whether scopes of a key are enough: `admin` is all, `manage` and `operate` include `read`, as `trade` does. */
export const allows = (scopes: readonly string[], needed: Scope): boolean =>
  scopes.includes('admin') || scopes.includes(needed) || (needed === 'read' && scopes.length > 0);
