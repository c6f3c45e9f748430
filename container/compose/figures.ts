import type { ClusterStatus } from '../contract/cluster.ts';
import { MOST_TOLD_SYMBOLS, type FiguresReport } from '../contract/figures.ts';
import { DATA_TOPICS } from '../contract/frames.ts';
import { METRICS, type MetricName } from '../contract/metrics/catalog.ts';
import { Metrics, type Sample } from '../contract/metrics/registry.ts';
import { addStatusGauges, type GaugedStatus } from '../contract/metrics/status-gauges.ts';
import { BRIDGE_VERSION, CONTRACT_VERSION } from '../contract/version.ts';
import type { StreamService } from '../service/feeds/stream-service.ts';
import type { ProgramMetrics } from '../service/process/program-metrics.ts';
import type { SessionEvent } from '../session/status.ts';
import type { OperationsApi, StateApi } from '../state/state-api.ts';
import type { Parts } from './build.ts';

type Measured = Pick<Parts, 'config' | 'options' | 'requests' | 'upstream' | 'reads' | 'streaming' | 'metrics'>;

/** What is read where it is, when somebody looks. */
export function collectFigures({ requests, upstream, reads, streaming, metrics, options }: Measured): void {
  const { registry } = metrics;
  if (options.holding) collectCluster(metrics, options.holding.status);
  const one = (name: MetricName, read: () => number | null): void =>
    registry.collect(name, () => {
      const value = read();
      return value === null ? [] : [[[], value]];
    });
  const many = (name: MetricName, read: () => Sample[]): void => registry.collect(name, read);

  many('mt5_build_info', () => [[[BRIDGE_VERSION, String(CONTRACT_VERSION)], 1]]);
  one('mt5_http_requests_in_flight', () => requests.count);

  const stats = (): typeof upstream.stats => upstream.stats;
  one('mt5_upstream_commands_total', () => stats().sent);
  one('mt5_upstream_merged_total', () => stats().merged);
  one('mt5_upstream_replayed_total', () => stats().replayed);
  one('mt5_upstream_waiting', () => stats().waiting);
  one('mt5_upstream_busy', () => stats().busy);
  one('mt5_last_answer_timestamp_seconds', () => seconds(metrics.lastAnswerAtMs));
  one('mt5_last_heartbeat_timestamp_seconds', () => seconds(metrics.lastHeartbeatAtMs));

  one('mt5_clock_offset_seconds', () => seconds(reads.clock.lastReading?.measuredOffsetMs ?? null));

  const cache = (): ReturnType<typeof reads.broker.statistics> => reads.broker.statistics();
  many('mt5_cache_requests_total', () =>
    Object.entries(cache().byKind).flatMap(([kind, { hits, misses }]): Sample[] => [
      [[kind, 'hit'], hits],
      [[kind, 'miss'], misses],
    ]),
  );
  many('mt5_cache_invalidations_total', () =>
    Object.entries(cache().byKind).map(([kind, { invalidations }]): Sample => [[kind], invalidations]),
  );
  one('mt5_cache_entries', () => cache().entries);
  one('mt5_cache_evictions_total', () => cache().evictions);
  one('mt5_reads_total', () => cache().reads);
  one('mt5_reads_coalesced_total', () => cache().coalesced);

  collectStreams({ registry }, streaming.service);
  const feed = (name: string): number => streaming.poller.stats()[name] ?? 0;
  one('mt5_feed_requests_total', () => feed('requests'));
  one('mt5_feed_changes_total', () => feed('changes'));
  one('mt5_feed_failures_total', () => feed('failures'));
  many('mt5_feed_followed', () => DATA_TOPICS.map((topic): Sample => [[topic], feed(topic)]));
  one('mt5_feed_stale_symbols', () => streaming.poller.symbols().filter(({ stale }) => stale).length);
}

/** Of clients' streams. */
export function collectStreams({ registry }: Pick<ProgramMetrics, 'registry'>, service: StreamService): void {
  const many = (name: MetricName, value: () => number): void =>
    registry.collect(name, () => [[['container'], value()]]);
  const { counters } = service.core;
  many('mt5_ws_clients', () => service.streams);
  many('mt5_ws_messages_total', () => counters.frames);
  many('mt5_ws_conflated_total', () => counters.conflated);
  many('mt5_ws_slow_closed_total', () => counters.slowConsumers);
  many('mt5_ws_gaps_total', () => counters.gaps);
  many('mt5_ws_refused_operations_total', () => counters.refusedOperations);
}

/** Of several replicas. */
export function collectCluster({ registry }: Pick<ProgramMetrics, 'registry'>, status: () => ClusterStatus): void {
  registry.collect('mt5_cluster_role', () => {
    const { role } = status();
    return (['holder', 'follower'] as const).map((one): Sample => [[one], one === role ? 1 : 0]);
  });
  registry.collect('mt5_cluster_token', () => [[[], status().holder?.token ?? 0]]);
  registry.collect('mt5_cluster_lease_age_seconds', () => {
    const { leaseAgeMs } = status();
    return leaseAgeMs === null ? [] : [[[], leaseAgeMs / 1000]];
  });
}

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000);

/** What only this program knows of the road to the broker. */
export function programFacts({
  config,
  upstream,
  reads,
  streaming,
  metrics,
}: Pick<Measured, 'config' | 'upstream' | 'reads' | 'streaming' | 'metrics'>): FiguresReport['facts'] {
  const { connections, busy, waiting } = upstream.stats;
  const reading = reads.clock.lastReading;
  const symbols = streaming.poller.symbols();
  return {
    lastAnswerAtMs: metrics.lastAnswerAtMs,
    lastHeartbeatAtMs: metrics.lastHeartbeatAtMs,
    clock:
      reading?.measuredOffsetMs === undefined || reading.measuredOffsetMs === null
        ? null
        : { offsetMs: reading.measuredOffsetMs, readAtMs: reading.readAtMs },
    pool: { connections, most: config.poolMax, busy, waiting },
    symbols: symbols.slice(0, MOST_TOLD_SYMBOLS),
    followed: { symbols: symbols.length, stale: symbols.filter(({ stale }) => stale).length },
    feed: streaming.poller.stats(),
  };
}

/** Of sessions, as it happens. */
export function countSessionEvent({ registry }: Pick<Measured['metrics'], 'registry'>, event: SessionEvent): void {
  if (event.type === 'signed_in') {
    registry.add('mt5_logins_total', ['succeeded']);
    for (const [phase, ms] of Object.entries(event.phasesMs))
      registry.observe('mt5_login_phase_seconds', [phase], ms / 1000);
  } else if (event.type === 'sign_in_failed') registry.add('mt5_logins_total', [event.kind]);
  else if (event.type === 'closed') registry.add('mt5_session_losses_total', [event.cause]);
}

/** A state whose operations are counted as they come to an outcome. */
export function countedLedger(state: StateApi, { registry }: Pick<ProgramMetrics, 'registry'>): StateApi {
  const operations: OperationsApi = new Proxy(state.operations, {
    get: (target, name) => {
      if (name === 'move')
        return async (...[caller, key, change]: Parameters<OperationsApi['move']>) => {
          const moved = await target.move(caller, key, change);
          if (moved && change.emptyLook !== true) registry.add('mt5_orders_total', [change.to]);
          return moved;
        };
      const method: unknown = Reflect.get(target, name, target);
      return typeof method === 'function' ? (method.bind(target) as unknown) : method;
    },
  });
  return { ...state, operations };
}

/** The text of `/metrics`, of this program alone. */
export function metricsText(
  { registry }: Pick<ProgramMetrics, 'registry'>,
  status: GaugedStatus,
  nowMs: number,
): string {
  const all = new Metrics<MetricName>(METRICS);
  all.absorb(registry.snapshot());
  addStatusGauges(all, status, nowMs);
  all.add('mt5_figures_timestamp_seconds', ['container'], nowMs / 1000);
  return all.text();
}
