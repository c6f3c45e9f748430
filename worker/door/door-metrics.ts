import { FIGURES_EVERY_MS } from '../../container/contract/figures.ts';
import { METRICS, type MetricName } from '../../container/contract/metrics/catalog.ts';
import { Metrics, type MetricsSnapshot } from '../../container/contract/metrics/registry.ts';

/** One answer of the door. */
export interface DoorAnswer {
  readonly broker: string;
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly durationMs: number;
  /** Who made the answer. */
  readonly by: 'door' | 'holder';
  readonly caller: string | undefined;
  /** Of the problem that the door itself answered with. */
  readonly code: string | undefined;
}

interface Counted {
  readonly metrics: Metrics<MetricName>;
  toldAtMs: number;
}

/** Said with every figure: an isolate may end before it has told. */
const APPROXIMATE = 'approximate';

/**
 * What this isolate counts at the door, broker by broker, until it tells the broker's Durable Object, which reckons the
 * bill by it too.
 */
class DoorMetrics {
  readonly #byBroker = new Map<string, Counted>();
  /** Of no broker; told with those of the broker that is told next. */
  readonly #others = new Metrics<MetricName>(METRICS);

  /** What is answered without looking which broker it is for: probes, documents, a Worker that is not configured. */
  answeredAlone(route: string, method: string, status: number): void {
    this.#others.add('mt5_door_requests_total', [route, method, String(status), APPROXIMATE]);
  }

  /** @returns what is to be told now: every ten seconds, with a request that goes on anyway */
  answered(answer: DoorAnswer, nowMs: number): MetricsSnapshot | undefined {
    const { broker, route, method, status, durationMs, by, caller = '', code } = answer;
    let counted = this.#byBroker.get(broker);
    if (!counted) this.#byBroker.set(broker, (counted = { metrics: new Metrics(METRICS), toldAtMs: nowMs }));
    const { metrics } = counted;
    metrics.add('mt5_door_requests_total', [route, method, String(status), APPROXIMATE]);
    metrics.observe('mt5_door_request_duration_seconds', [by, APPROXIMATE], durationMs / 1000);
    if (code !== undefined) metrics.add('mt5_door_refusals_total', [caller, code, APPROXIMATE]);
    if (nowMs - counted.toldAtMs < FIGURES_EVERY_MS) return undefined;
    counted.toldAtMs = nowMs;
    metrics.absorb(this.#others.takeDeltas() ?? {});
    return metrics.takeDeltas();
  }
}

/** One per isolate. */
export const doorMetrics = new DoorMetrics();
