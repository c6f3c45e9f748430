import { Session, type Profiler } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnswerOf } from '../../contract/route.ts';
import type { getPerformanceMetrics } from '../../contract/routes/monitoring.ts';
import { BridgeError } from '../../contract/errors.ts';
import type { CountedAnswer, ProgramMetrics } from './program-metrics.ts';

/** The registry's figures as one JSON, with exact quantiles of the last requests. */

/** Requests that the quantiles look back on. */
const REMEMBERED = 2048;
const MICROSECONDS_PER_SECOND = 1e6;

export interface PerformanceOptions {
  readonly metrics: ProgramMetrics;
  readonly inFlight: () => number;
  /** Counters of the sessions. */
  readonly upstream: () => Readonly<Record<string, number>>;
  /** `ENABLE_PROFILING`. */
  readonly profiling: boolean;
}

export class Performance {
  readonly #options: PerformanceOptions;
  readonly #durations = new Float64Array(REMEMBERED);
  #noted = 0;
  #isProfiling = false;

  constructor(options: PerformanceOptions) {
    this.#options = options;
  }

  readonly note = (answer: CountedAnswer): void => {
    this.#options.metrics.answered(answer);
    this.#durations[this.#noted++ % REMEMBERED] = answer.durationMs;
  };

  metrics(): AnswerOf<typeof getPerformanceMetrics> {
    const { metrics, inFlight, upstream } = this.#options;
    const { rss, heapUsed } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const { mean, p99, max } = metrics.eventLoopLag;
    return {
      uptimeSeconds: round(process.uptime()),
      requests: { ...this.#requests(), inFlight: inFlight() },
      durationMs: this.#quantiles(),
      upstream: upstream(),
      memory: { rssBytes: rss, heapUsedBytes: heapUsed },
      cpu: {
        userSeconds: round(user / MICROSECONDS_PER_SECOND),
        systemSeconds: round(system / MICROSECONDS_PER_SECOND),
      },
      eventLoopDelayMs: { mean: round(mean * 1000), p99: round(p99 * 1000), max: round(max * 1000) },
    };
  }

  #requests(): { total: number; byStatus: Record<string, number> } {
    const byStatus: Record<string, number> = {};
    let total = 0;
    for (const [[, , code = ''], count] of this.#options.metrics.registry.samples('mt5_http_requests_total')) {
      const group = `${code[0]}xx`;
      byStatus[group] = (byStatus[group] ?? 0) + count;
      total += count;
    }
    return { total, byStatus };
  }

  #quantiles(): AnswerOf<typeof getPerformanceMetrics>['durationMs'] {
    const count = Math.min(this.#noted, REMEMBERED);
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
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
