import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import { METRICS, type MetricName } from '../../contract/metrics/catalog.ts';
import { Metrics } from '../../contract/metrics/registry.ts';

/** One answer, as it is counted. */
export interface CountedAnswer {
  /** A pattern, never a path with its values. */
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly durationMs: number;
  /** The code of the problem, where it is one. */
  readonly code?: string | undefined;
  readonly caller?: string | undefined;
  readonly phasesMs?: Readonly<Record<string, number>> | undefined;
}

/** One exchange with the broker (`transport/observed-transport.ts`). */
export interface CountedExchange {
  readonly path: string;
  readonly tookMs: number;
  readonly failure: string | undefined;
}

/** The command by which a session is asked whether it stands. */
const HEARTBEAT = '/api/test/access';
const NANOSECONDS_PER_SECOND = 1e9;
const MICROSECONDS_PER_SECOND = 1e6;

/** The figures of this program: what is counted as it happens. Everything else is read where it is (`compose/figures.ts`). */
export class ProgramMetrics {
  readonly registry = new Metrics<MetricName>(METRICS);
  lastAnswerAtMs: number | null = null;
  lastHeartbeatAtMs: number | null = null;
  readonly #now: () => number;
  readonly #loop: IntervalHistogram;

  constructor(now: () => number) {
    this.#now = now;
    this.#loop = monitorEventLoopDelay({ resolution: 20 });
    this.#loop.enable();
    this.#collectProcess();
  }

  readonly answered = ({ route, method, status, durationMs, code, caller, phasesMs }: CountedAnswer): void => {
    const { registry } = this;
    registry.add('mt5_http_requests_total', [route, method, String(status)]);
    registry.observe('mt5_http_request_duration_seconds', [route], durationMs / 1000);
    for (const phase in phasesMs) registry.observe('mt5_http_phase_seconds', [phase], (phasesMs[phase] ?? 0) / 1000);
    if (code !== undefined && status < 500) registry.add('mt5_http_refusals_total', [caller ?? '', code]);
  };

  readonly exchanged = ({ path, tookMs, failure }: CountedExchange): void => {
    const endpoint = path.startsWith('/api/') ? path.slice(5) : path;
    if (failure !== undefined) return this.registry.add('mt5_upstream_failures_total', [failure]);
    this.registry.observe('mt5_upstream_request_duration_seconds', [endpoint], tookMs / 1000);
    this.lastAnswerAtMs = this.#now();
    if (path === HEARTBEAT) this.lastHeartbeatAtMs = this.lastAnswerAtMs;
  };

  /** Seconds. */
  get eventLoopLag(): { readonly mean: number; readonly p99: number; readonly max: number } {
    const seconds = (nanoseconds: number): number =>
      Number.isNaN(nanoseconds) ? 0 : nanoseconds / NANOSECONDS_PER_SECOND;
    const { mean, max } = this.#loop;
    return { mean: seconds(mean), p99: seconds(this.#loop.percentile(99)), max: seconds(max) };
  }

  close(): void {
    this.#loop.disable();
  }

  #collectProcess(): void {
    const one = (name: MetricName, read: () => number): void => this.registry.collect(name, () => [[[], read()]]);
    one('process_cpu_seconds_total', () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / MICROSECONDS_PER_SECOND;
    });
    one('process_resident_memory_bytes', () => process.memoryUsage.rss());
    one('process_start_time_seconds', () => this.#now() / 1000 - process.uptime());
    one('nodejs_heap_size_used_bytes', () => process.memoryUsage().heapUsed);
    one('nodejs_eventloop_lag_mean_seconds', () => this.eventLoopLag.mean);
    one('nodejs_eventloop_lag_p99_seconds', () => this.eventLoopLag.p99);
  }
}
