import { FIGURES_EVERY_MS } from '../../container/contract/figures.ts';
import { METRICS, type MetricName } from '../../container/contract/metrics/catalog.ts';
import { Metrics, type MetricsSnapshot } from '../../container/contract/metrics/registry.ts';
import type { StreamCore } from '../../container/stream/stream-core.ts';

type Counters = StreamCore['counters'];

const NAMES: Readonly<Record<keyof Counters, MetricName>> = {
  frames: 'mt5_ws_messages_total',
  conflated: 'mt5_ws_conflated_total',
  slowConsumers: 'mt5_ws_slow_closed_total',
  gaps: 'mt5_ws_gaps_total',
  refusedOperations: 'mt5_ws_refused_operations_total',
};

/** What the hub counts of its clients, until it tells the broker's Durable Object. */
export class HubFigures {
  #told: Counters = { frames: 0, conflated: 0, gaps: 0, slowConsumers: 0, refusedOperations: 0 };
  #toldAtMs = 0;

  /** @returns what was counted since it was told last; at most every ten seconds */
  due(counters: Counters, nowMs: number): MetricsSnapshot | undefined {
    if (nowMs - this.#toldAtMs < FIGURES_EVERY_MS) return undefined;
    this.#toldAtMs = nowMs;
    const deltas = new Metrics<MetricName>(METRICS);
    for (const [counter, name] of Object.entries(NAMES) as [keyof Counters, MetricName][])
      deltas.add(name, ['hub'], counters[counter] - this.#told[counter]);
    this.#told = { ...counters };
    return deltas.snapshot();
  }
}
