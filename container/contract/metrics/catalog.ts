import type { MetricDefinition } from './registry.ts';

/** Seconds: of answers from memory (under a millisecond) to the longest deadline. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Seconds: of a start, from a warm process to one on a sixteenth of a CPU. */
const START_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const counter = (help: string, labels: readonly string[] = []): MetricDefinition => ({ type: 'counter', help, labels });
const gauge = (help: string, labels: readonly string[] = []): MetricDefinition => ({ type: 'gauge', help, labels });
const histogram = (help: string, labels: readonly string[] = [], buckets = DURATION_BUCKETS): MetricDefinition => ({
  type: 'histogram',
  help,
  labels,
  buckets,
});

const APPROXIMATE =
  'Approximate: counted per isolate and told every 10 s; the last seconds of an isolate may be missing.';
const SINCE = 'Seconds since 1970.';

/**
 * Every metric of the bridge: its name, what it means, its labels. Labels are bounded: routes are patterns, endpoints are
 * commands of the allow-list, keys are ids; never a login, a symbol or an address. What is counted goes on over restarts.
 */
export const METRICS = {
  mt5_build_info: gauge('1; which version runs.', ['version', 'contract']),
  mt5_figures_timestamp_seconds: gauge(`When the figures of this part were told. ${SINCE}`, ['part']),

  mt5_http_requests_total: counter('Requests answered by the container program.', ['route', 'method', 'code']),
  mt5_http_request_duration_seconds: histogram('From the head of a request to the end of its answer.', ['route']),
  mt5_http_requests_in_flight: gauge('Requests being answered.'),
  mt5_http_phase_seconds: histogram('Where the time of a request went.', ['phase']),
  mt5_http_refusals_total: counter('Requests refused by the bridge itself (4xx), by key.', ['key', 'code']),

  mt5_upstream_request_duration_seconds: histogram('One command, from sending to the end of its answer.', ['endpoint']),
  mt5_upstream_failures_total: counter('Commands whose connection broke, by what broke.', ['kind']),
  mt5_upstream_commands_total: counter('Commands sent to the broker, streams included.'),
  mt5_upstream_merged_total: counter('Reads that travelled with another one.'),
  mt5_upstream_replayed_total: counter('Reads sent again on another session.'),
  mt5_upstream_waiting: gauge('Requests that wait for a session.'),
  mt5_upstream_busy: gauge('Sessions with a command under way.'),
  mt5_last_answer_timestamp_seconds: gauge(`When the broker answered last. ${SINCE}`),
  mt5_last_heartbeat_timestamp_seconds: gauge(`When the broker last said that the session stands. ${SINCE}`),

  mt5_sessions: gauge('Sessions with the broker, by state; of the states that are none, 1 = so it stands.', ['state']),
  mt5_session_age_seconds: gauge('How long the state of the session has lasted.'),
  mt5_session_epoch: gauge('Raised by each process that signs in.'),
  mt5_logins_total: counter('Sign-ins by result.', ['result']),
  mt5_login_phase_seconds: histogram('Phases of a sign-in.', ['phase'], START_BUCKETS),
  mt5_session_losses_total: counter('Sessions that ended, by cause.', ['cause']),
  mt5_clock_offset_seconds: gauge('The broker’s clock minus UTC, as measured.'),

  mt5_cache_requests_total: counter('Looks into the cache of reference data.', ['kind', 'result']),
  mt5_cache_invalidations_total: counter('Times that a kind was forgotten.', ['kind']),
  mt5_cache_entries: gauge('Entries of the cache.'),
  mt5_cache_evictions_total: counter('Entries that had to make room.'),
  mt5_reads_total: counter('Reads of the broker that were asked for.'),
  mt5_reads_coalesced_total: counter('Of these, joined to one under way.'),

  mt5_ws_clients: gauge('Client streams, WebSockets and event streams; hubs count as one.', ['at']),
  mt5_ws_messages_total: counter('Frames sent to clients.', ['at']),
  mt5_ws_conflated_total: counter('Changes that a slow client was told as the latest only.', ['at']),
  mt5_ws_slow_closed_total: counter('Clients closed because they read too slowly.', ['at']),
  mt5_ws_gaps_total: counter('Gaps that clients were told of.', ['at']),
  mt5_ws_refused_operations_total: counter('Messages of clients that were refused.', ['at']),
  mt5_feed_requests_total: counter('Polls of the broker for streams.'),
  mt5_feed_changes_total: counter('Changes that polls brought.'),
  mt5_feed_failures_total: counter('Polls that failed.'),
  mt5_feed_followed: gauge('Symbols, logins and groups that are followed.', ['topic']),
  mt5_feed_stale_symbols: gauge('Followed symbols without a fresh quote inside their hours.'),

  mt5_orders_total: counter('Operations of the ledger by outcome.', ['outcome']),
  mt5_operations_waiting: gauge('Operations that wait: for the bridge to settle them, or for a person.', ['for']),
  mt5_trading_halted: gauge('1 = everybody’s trading is halted.'),
  mt5_circuit_state: gauge('Of a breaker: 0 closed, 1 half-open, 2 open.', ['of']),

  mt5_outbox_pending: gauge('Events that wait, for the audit’s store or for receivers of webhooks.', ['for']),
  mt5_outbox_oldest_age_seconds: gauge('How long the oldest of them has waited.', ['for']),
  mt5_webhooks_disabled: gauge('Receivers of webhooks that are disabled.'),

  mt5_cluster_role: gauge('Of several replicas: 1 = this one is so.', ['role']),
  mt5_cluster_token: gauge(
    'Of the lease under which the session is held, as this replica knows it; it rises with each holder.',
  ),
  mt5_cluster_lease_age_seconds: gauge('Since this replica last heard from Redis who holds.'),
  mt5_cluster_forwards_total: counter('Requests that this replica sent to the holder.', ['result']),
  mt5_cluster_reference_total: counter('Reads of reference data at this replica, from its memory or not.', ['result']),

  mt5_container_state: gauge('1 = so the container stands.', ['state']),
  mt5_cold_starts_total: counter('Starts of the container by who caused them.', ['reason']),
  mt5_cold_start_phase_seconds: histogram('Phases of a cold start.', ['phase'], START_BUCKETS),
  mt5_container_ends_total: counter('Ends of the container by kind.', ['event']),
  mt5_holder_requests_total: counter('Requests that the Durable Object passed to the container.', ['result']),
  mt5_holder_request_duration_seconds: histogram('From the Durable Object to the container and back, starts included.'),

  mt5_door_requests_total: counter(`Requests at the door. ${APPROXIMATE}`, ['route', 'method', 'code', 'figures']),
  mt5_door_request_duration_seconds: histogram(`Time at the door, by who answered. ${APPROXIMATE}`, ['by', 'figures']),
  mt5_door_refusals_total: counter(`Requests refused at the door, by key. ${APPROXIMATE}`, ['key', 'code', 'figures']),

  process_cpu_seconds_total: { ...counter('Processor time of the container program.'), perProcess: true },
  process_resident_memory_bytes: gauge('Memory of the container program.'),
  process_start_time_seconds: gauge(`When the container program started. ${SINCE}`),
  nodejs_heap_size_used_bytes: gauge('Heap in use.'),
  nodejs_eventloop_lag_mean_seconds: gauge('Mean delay of the event loop since the start.'),
  nodejs_eventloop_lag_p99_seconds: gauge('99th percentile of the delay of the event loop since the start.'),
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof METRICS;

/** Content type of the text format. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
