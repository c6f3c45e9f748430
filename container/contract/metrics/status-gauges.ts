import type { OutboxFigures } from '../events.ts';
import { CONTAINER_STATES, SESSION_STATES } from '../schemas/status.ts';
import type { MetricName } from './catalog.ts';
import type { Metrics } from './registry.ts';

/** What a status tells, as gauges; the same on both roads. */
export interface GaugedStatus {
  readonly session: {
    readonly state: string;
    readonly sinceMs: number;
    readonly epoch: number | null;
    readonly connections: number;
  };
  readonly container: { readonly state: string };
  readonly operations: {
    readonly unsettled: number;
    readonly needLook: { readonly orders: number; readonly others: number };
  };
  readonly halted: string | null;
  /** Circuit breakers; `null` = nobody tells. */
  readonly circuits?: Readonly<Record<string, { readonly state: string } | null>>;
  /** Absent: the outbox does not tell. */
  readonly outbox?: OutboxFigures | undefined;
}

const CIRCUIT_STATES = ['closed', 'half_open', 'open'];

export function addStatusGauges(
  metrics: Metrics<MetricName>,
  { session, container, operations, halted, circuits = {}, outbox }: GaugedStatus,
  nowMs: number,
): void {
  for (const state of SESSION_STATES)
    metrics.add('mt5_sessions', [state], state === session.state ? Math.max(1, session.connections) : 0);
  metrics.add('mt5_session_age_seconds', [], (nowMs - session.sinceMs) / 1000);
  metrics.add('mt5_session_epoch', [], session.epoch ?? 0);
  for (const state of CONTAINER_STATES) metrics.add('mt5_container_state', [state], state === container.state ? 1 : 0);
  const { orders, others } = operations.needLook;
  metrics.add('mt5_operations_waiting', ['bridge'], operations.unsettled);
  metrics.add('mt5_operations_waiting', ['person'], orders + others);
  for (const [of, circuit] of Object.entries(circuits))
    if (circuit) metrics.add('mt5_circuit_state', [of], CIRCUIT_STATES.indexOf(circuit.state));
  metrics.add('mt5_trading_halted', [], halted === null ? 0 : 1);
  if (!outbox) return;
  const waiting = [...(outbox.audit ? [['audit', outbox.audit] as const] : []), ['webhooks', outbox.webhooks] as const];
  for (const [what, { pending, oldestAtMs }] of waiting) {
    metrics.add('mt5_outbox_pending', [what], pending);
    metrics.add('mt5_outbox_oldest_age_seconds', [what], oldestAtMs === null ? 0 : (nowMs - oldestAtMs) / 1000);
  }
  metrics.add('mt5_webhooks_disabled', [], outbox.webhooks.disabled);
}
