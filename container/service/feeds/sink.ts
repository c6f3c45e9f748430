import { perTopic, topicEntry, type DataTopic } from '../../contract/frames.ts';
import type { SourceEvent } from '../../contract/hub-link.ts';
import { isMask } from '../../stream/source.ts';

export interface MissedRequest {
  readonly topic: DataTopic;
  readonly keys: readonly string[];
  readonly id: number;
  readonly sinceMs: number;
}

/** One receiver of the poller's events: what it wants, and what it has been given. */
export class Sink {
  readonly emit: (event: SourceEvent) => void;
  readonly wants = perTopic(() => new Set<string>());
  /** Slices that it was given a load of. */
  readonly delivered = perTopic(() => new Set<string>());
  /** Masks as it was last told them. */
  readonly masks = new Map<string, readonly string[]>();
  epoch: number | undefined;
  /** Asked and not answered yet. */
  readonly missed: MissedRequest[] = [];
  readonly #symbolsOf: (mask: string) => readonly string[] | undefined;

  constructor(emit: (event: SourceEvent) => void, symbolsOf: (mask: string) => readonly string[] | undefined) {
    this.emit = emit;
    this.#symbolsOf = symbolsOf;
  }

  /** Slices that its selectors stand for, as far as masks are resolved. */
  keys(topic: DataTopic): ReadonlySet<string> {
    const wants = this.wants[topic];
    if (topicEntry(topic).selector === 'logins') return wants;
    const keys = new Set<string>();
    for (const want of wants) {
      if (!isMask(topic, want)) keys.add(want);
      else if (!want.startsWith('!')) for (const symbol of this.#symbolsOf(want) ?? []) keys.add(symbol);
    }
    return keys;
  }

  /** Masks of a topic whose symbols it has not been told yet. */
  newMasks(topic: DataTopic): [mask: string, symbols: readonly string[]][] {
    const fresh: [string, readonly string[]][] = [];
    for (const want of this.wants[topic]) {
      const symbols = isMask(topic, want) ? this.#symbolsOf(want) : undefined;
      if (!symbols || this.masks.get(want) === symbols) continue;
      this.masks.set(want, symbols);
      fresh.push([want, symbols]);
    }
    return fresh;
  }

  /** What it no longer wants counts as not delivered: wanted again, it is loaded again. */
  trim(topic: DataTopic): void {
    const keys = this.keys(topic);
    for (const key of this.delivered[topic]) if (!keys.has(key)) this.delivered[topic].delete(key);
  }

  takeMissed(topic: DataTopic): MissedRequest[] {
    const taken = this.missed.filter((request) => request.topic === topic);
    for (const request of taken) this.missed.splice(this.missed.indexOf(request), 1);
    return taken;
  }

  forgetAll(): void {
    this.missed.length = 0;
    for (const delivered of Object.values(this.delivered)) delivered.clear();
    this.masks.clear();
  }
}
