import * as routes from '../../contract/routes/monitoring.ts';
import { BRIDGE_VERSION, CONTRACT_VERSION } from '../../contract/version.ts';
import type { AnswerOf } from '../../contract/route.ts';
import type { Broker } from '../broker/broker.ts';
import { handle } from '../handler.ts';
import type { HandlersOf } from '../handler.ts';
import type { Performance } from './performance.ts';

export interface MonitoringOptions {
  readonly broker: Broker;
  readonly performance: Performance;
  /** The text for Prometheus. */
  readonly metrics: () => Promise<string>;
  readonly serverBuild: () => Promise<string | null>;
  /** Streams being served. */
  readonly streams: () => AnswerOf<typeof routes.getStreamStatus>;
}

type MonitoringRoute = (typeof routes.monitoringRoutes)[number];

export function monitoringHandlers({
  broker,
  performance,
  metrics,
  serverBuild,
  streams,
}: MonitoringOptions): HandlersOf<MonitoringRoute> {
  return {
    ...handle(routes.getHealth, async () => ({ body: { status: 'ok', version: BRIDGE_VERSION } })),
    ...handle(routes.getVersion, async () => ({
      body: { version: BRIDGE_VERSION, contractVersion: CONTRACT_VERSION, serverBuild: await serverBuild() },
    })),
    ...handle(routes.testConnection, async (_input, context) => {
      const startedAtMs = globalThis.performance.now();
      await broker.read('test/access', [], context);
      return {
        body: { connected: true, roundTripMs: Math.round((globalThis.performance.now() - startedAtMs) * 10) / 10 },
      };
    }),
    ...handle(routes.getPerformanceMetrics, async () => ({ body: performance.metrics() })),
    ...handle(routes.getPerformanceCache, async () => ({ body: { ...broker.statistics(), door: null } })),
    ...handle(routes.getStreamStatus, async () => ({ body: streams() })),
    ...handle(routes.getMetrics, async () => ({ body: await metrics() })),
    ...handle(routes.takeProfile, async ({ query }, { signal }) => ({
      body: await performance.profile(query.seconds, signal),
    })),
  };
}
