import { FIGURES_EVERY_MS, type FiguresReport } from '../../contract/figures.ts';
import type { MetricName } from '../../contract/metrics/catalog.ts';
import type { Metrics } from '../../contract/metrics/registry.ts';
import type { FiguresApi } from '../../state/state-api.ts';

export interface FiguresKeeperOptions {
  readonly instanceId: string;
  readonly state: FiguresApi;
  readonly metrics: Metrics<MetricName>;
  readonly facts: () => FiguresReport['facts'];
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
  /** A test is less patient. */
  readonly everyMs?: number | undefined;
}

/** Takes up the counters of the process before this one, and tells the state the figures of this one. */
export class FiguresKeeper {
  readonly #options: FiguresKeeperOptions;
  #timer: NodeJS.Timeout | undefined;
  /** Before the old counters are taken up nothing is told, or they would be lost. */
  #resumed: Promise<void> | undefined;

  constructor(options: FiguresKeeperOptions) {
    this.#options = options;
  }

  /** Once the state can be reached. A second call does nothing. */
  start(): void {
    this.#resumed ??= this.#resume();
    this.#timer ??= setInterval(() => void this.tell(), this.#options.everyMs ?? FIGURES_EVERY_MS).unref();
  }

  report(): FiguresReport {
    const { metrics, facts, now } = this.#options;
    return { atMs: now(), facts: facts(), metrics: metrics.snapshot() };
  }

  /** Never rejects: what is not told now is told next time. */
  async tell(): Promise<void> {
    const { state, instanceId, onError } = this.#options;
    if (!this.#resumed) return;
    try {
      await this.#resumed;
      await state.keep(instanceId, this.report());
    } catch (error) {
      onError(error);
    }
  }

  /** Tells for the last time. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.tell();
  }

  async #resume(): Promise<void> {
    const { state, metrics, onError } = this.#options;
    try {
      const last = await state.last();
      if (last) metrics.resume(last.metrics);
    } catch (error) {
      onError(error);
      // Asked again with the next hand-over.
      this.#resumed = undefined;
    }
  }
}
