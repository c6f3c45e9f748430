import type { FiguresReport } from '../../container/contract/figures.ts';
import { METRICS, type MetricName } from '../../container/contract/metrics/catalog.ts';
import { Metrics, type MetricsSnapshot } from '../../container/contract/metrics/registry.ts';
import { addStatusGauges, type GaugedStatus } from '../../container/contract/metrics/status-gauges.ts';
import type { Journal } from '../../container/state/journal.ts';

const KEY = 'bridge:metrics';
/** Written so often at most: a row each time, and what was counted since is lost with the object. */
const SAVE_EVERY_MS = 10_000;
const ENDS: ReadonlySet<string> = new Set(['sleep', 'stop', 'rollout', 'crash', 'error']);

export interface HolderMetricsParts {
  readonly kv: Pick<SyncKvStorage, 'get' | 'put'>;
  readonly now: () => number;
}

type LifecycleJournal = Pick<Journal, 'write' | 'addPhases'>;

/**
 * What the Durable Object counts itself, and what doors and hub told it that they counted. Kept over its own restarts.
 * With the last figures of the container it is the whole answer of `/metrics`, which wakes nothing.
 */
export class HolderMetrics {
  readonly #parts: HolderMetricsParts;
  readonly #metrics = new Metrics<MetricName>(METRICS);
  #savedAtMs: number;
  #hubClients: number | undefined;
  /** When each of the others told last. */
  readonly #toldAtMs = new Map<string, number>();

  constructor(parts: HolderMetricsParts) {
    this.#parts = parts;
    this.#savedAtMs = parts.now();
    const kept = parts.kv.get<MetricsSnapshot>(KEY);
    if (kept) this.#metrics.resume(kept);
  }

  /** A request went to the container and was answered, or was not. */
  forwarded(result: string, durationMs: number): void {
    this.#metrics.add('mt5_holder_requests_total', [result]);
    this.#metrics.observe('mt5_holder_request_duration_seconds', [], durationMs / 1000);
    this.#save();
  }

  /** What a door or the hub counted since it told last; of the hub, how many clients it has. */
  told(part: 'door' | 'hub', deltas: MetricsSnapshot, clients?: number): void {
    this.#metrics.absorb(deltas);
    if (clients !== undefined) this.#hubClients = clients;
    this.#toldAtMs.set(part, this.#parts.now());
    this.#save();
  }

  /** A journal whose starts and ends are counted. */
  counting(journal: LifecycleJournal): LifecycleJournal {
    return {
      write: (entry) => {
        journal.write(entry);
        if (entry.event === 'start' && entry.phasesMs) this.#metrics.add('mt5_cold_starts_total', [entry.reason]);
        if (ENDS.has(entry.event)) this.#metrics.add('mt5_container_ends_total', [entry.event]);
        this.#phases(entry.phasesMs ?? {});
        this.#save(true);
      },
      addPhases: (instanceId, phasesMs) => {
        journal.addPhases(instanceId, phasesMs);
        this.#phases(phasesMs);
        this.#save(true);
      },
    };
  }

  /** The text of `/metrics`. */
  text(report: FiguresReport | null, status: GaugedStatus): string {
    const nowMs = this.#parts.now();
    const all = new Metrics<MetricName>(METRICS);
    all.absorb(this.#metrics.snapshot());
    if (report) all.absorb(report.metrics);
    addStatusGauges(all, status, nowMs);
    if (this.#hubClients !== undefined) all.add('mt5_ws_clients', ['hub'], this.#hubClients);
    const told = [
      ['holder', nowMs],
      ...(report ? [['container', report.atMs] as const] : []),
      ...this.#toldAtMs,
    ] as const;
    for (const [part, atMs] of told) all.add('mt5_figures_timestamp_seconds', [part], atMs / 1000);
    return all.text();
  }

  #phases(phasesMs: Readonly<Record<string, number>>): void {
    for (const [phase, ms] of Object.entries(phasesMs))
      this.#metrics.observe('mt5_cold_start_phase_seconds', [phase], ms / 1000);
  }

  #save(atOnce = false): void {
    const { kv, now } = this.#parts;
    if (!atOnce && now() - this.#savedAtMs < SAVE_EVERY_MS) return;
    this.#savedAtMs = now();
    kv.put(KEY, this.#metrics.snapshot());
  }
}

/** How many requests came to the Worker, by what a door has counted. */
export const requestsIn = (deltas: MetricsSnapshot): number =>
  Object.values(deltas['mt5_door_requests_total'] ?? {}).reduce<number>((sum, n) => sum + Number(n), 0);
