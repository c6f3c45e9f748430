import { Session, type Profiler } from 'node:inspector/promises';
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnswerOf } from '../../contract/route.ts';
import type { getPerformanceMetrics } from '../../contract/routes/monitoring.ts';
import { BridgeError } from '../../contract/errors.ts';

/** What this process measures of itself. */

/** Requests that the quantiles look back on. */
const REMEMBERED = 2048;
const NANOSECONDS_PER_MS = 1e6;
const MICROSECONDS_PER_SECOND = 1e6;

export interface PerformanceOptions {
  readonly inFlight: () => number;
  /** Counters of the sessions. */
  readonly upstream: () => Readonly<Record<string, number>>;
  /** `ENABLE_PROFILING`. */
  readonly profiling: boolean;
}

export class Performance {
  readonly #options: PerformanceOptions;
  readonly #durations = new Float64Array(REMEMBERED);
  readonly #byStatus: Record<string, number> = {};
  readonly #loop: IntervalHistogram;
  #total = 0;
  #isProfiling = false;

  constructor(options: PerformanceOptions) {
    this.#options = options;
    this.#loop = monitorEventLoopDelay({ resolution: 20 });
    this.#loop.enable();
  }

  note({ status, durationMs }: { status: number; durationMs: number }): void {
    this.#durations[this.#total % REMEMBERED] = durationMs;
    this.#total++;
    const group = `${Math.floor(status / 100)}xx`;
    this.#byStatus[group] = (this.#byStatus[group] ?? 0) + 1;
  }

  metrics(): AnswerOf<typeof getPerformanceMetrics> {
    const { rss, heapUsed } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const loopMs = (nanoseconds: number): number =>
      round(Number.isNaN(nanoseconds) ? 0 : nanoseconds / NANOSECONDS_PER_MS);
    return {
      uptimeSeconds: round(process.uptime()),
      requests: { total: this.#total, inFlight: this.#options.inFlight(), byStatus: { ...this.#byStatus } },
      durationMs: this.#quantiles(),
      upstream: this.#options.upstream(),
      memory: { rssBytes: rss, heapUsedBytes: heapUsed },
      cpu: {
        userSeconds: round(user / MICROSECONDS_PER_SECOND),
        systemSeconds: round(system / MICROSECONDS_PER_SECOND),
      },
      eventLoopDelayMs: {
        mean: loopMs(this.#loop.mean),
        p99: loopMs(this.#loop.percentile(99)),
        max: loopMs(this.#loop.max),
      },
    };
  }

  #quantiles(): AnswerOf<typeof getPerformanceMetrics>['durationMs'] {
    const count = Math.min(this.#total, REMEMBERED);
    const sorted = this.#durations.slice(0, count).sort();
    const at = (share: number): number | null => sorted[Math.min(count - 1, Math.floor(share * count))] ?? null;
    return { count, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: sorted[count - 1] ?? null };
  }

  /** A CPU profile of the next seconds. @throws BridgeError `command_not_passed` · `overloaded` */
  async profile(seconds: number, signal: AbortSignal): Promise<Profiler.Profile> {
    if (!this.#options.profiling)
      throw new BridgeError('command_not_passed', 'Profiling is off: set ENABLE_PROFILING=true.');
    if (this.#isProfiling) throw new BridgeError('overloaded', 'A profile is being taken already.');
    this.#isProfiling = true;
    const session = new Session();
    try {
      session.connect();
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
      await sleep(seconds * 1000, undefined, { signal }).catch(() => undefined);
      return (await session.post('Profiler.stop')).profile;
    } finally {
      session.disconnect();
      this.#isProfiling = false;
    }
  }

  close(): void {
    this.#loop.disable();
  }
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
