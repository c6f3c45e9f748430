import type { StreamGap } from '../contract/events.ts';

/** Subscriptions that were told that something is missing, by topic and reason, until they are told on. */
export class GapCounts {
  readonly #tell: ((gaps: readonly StreamGap[]) => void) | undefined;
  readonly #counts = new Map<string, StreamGap>();

  constructor(tell: ((gaps: readonly StreamGap[]) => void) | undefined) {
    this.#tell = tell;
  }

  note(topic: string, reason: string): void {
    const key = `${topic} ${reason}`;
    const subscriptions = (this.#counts.get(key)?.subscriptions ?? 0) + 1;
    this.#counts.set(key, { topic, reason, subscriptions });
  }

  tell(): void {
    if (this.#counts.size === 0) return;
    const gaps = [...this.#counts.values()];
    this.#counts.clear();
    this.#tell?.(gaps);
  }
}
