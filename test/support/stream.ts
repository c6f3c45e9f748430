import { perTopic, type DataTopic, type Frame } from '../../container/contract/frames.ts';
import type { Caller } from '../../container/contract/keys.ts';
import type { Chunk } from '../../container/stream/chunk.ts';
import type { Peer } from '../../container/stream/member.ts';
import type { Change, SourceEvent } from '../../container/contract/hub-link.ts';
import { isMask, type StreamSource } from '../../container/stream/source.ts';

export const reader: Caller = { id: 'reader', scopes: ['read'] };
export const authenticated = { caller: reader, proof: 'sha256:0' };

/** A client's end that keeps every frame; `stalled` = it stopped reading. */
export class FakePeer implements Peer {
  readonly frames: Frame[] = [];
  readonly chunks: Chunk[] = [];
  closedWith: number | undefined;
  bufferedBytes = 0;
  onFrame: (frame: Frame) => void = () => {};

  write(chunk: Chunk): void {
    this.chunks.push(chunk);
    for (const { text } of chunk.frames) {
      const frame = JSON.parse(text) as Frame;
      this.frames.push(frame);
      this.onFrame(frame);
    }
  }

  close(code: number): void {
    this.closedWith = code;
  }

  of(type: Frame['type'], topic?: string): Frame[] {
    return this.frames.filter((frame) => frame.type === type && (topic === undefined || frame.topic === topic));
  }

  last(): Frame | undefined {
    return this.frames.at(-1);
  }
}

/**
 * A source with books of its own: `truth` per topic and slice. Loads are answered when `answer` is called, as a poller
 * would after a round trip; changes of slices that are not loaded are not seen, as with a poller.
 */
export class FakeSource implements StreamSource {
  emit: (event: SourceEvent) => void = () => {};
  readonly wanted = perTopic(() => new Set<string>());
  readonly masks = new Map<string, string[]>();
  readonly truth = new Map<string, Map<string, string>>();
  readonly loaded = new Set<string>();
  #seq: Partial<Record<DataTopic, number>> = {};

  want(topic: DataTopic, selectors: readonly string[]): void {
    for (const selector of selectors) this.wanted[topic].add(selector);
  }

  drop(topic: DataTopic, selectors: readonly string[]): void {
    for (const selector of selectors) this.wanted[topic].delete(selector);
    for (const id of this.loaded)
      if (id.startsWith(`${topic} `) && !this.#keys(topic).has(id.slice(topic.length + 1))) this.loaded.delete(id);
  }

  readonly asked: { topic: DataTopic; keys: readonly string[]; id: number; sinceMs: number }[] = [];

  missed(topic: DataTopic, keys: readonly string[], request: { id: number; sinceMs: number }): void {
    this.asked.push({ topic, keys, ...request });
  }

  /** Loads everything that is wanted and not loaded. */
  answer(): void {
    for (const topic of Object.keys(this.wanted) as DataTopic[]) {
      for (const selector of this.wanted[topic])
        if (isMask(topic, selector))
          this.emit({ kind: 'mask', mask: selector, symbols: this.masks.get(selector) ?? [] });
      const keys = [...this.#keys(topic)].filter((key) => !this.loaded.has(`${topic} ${key}`));
      if (keys.length === 0) continue;
      for (const key of keys) this.loaded.add(`${topic} ${key}`);
      const slices = keys.map((key) => ({
        key,
        entities:
          topic === 'deals' ? [] : [...(this.truth.get(`${topic} ${key}`) ?? [])].map(([id, json]) => ({ id, json })),
      }));
      const seq = this.next(topic);
      // As a poller tells large ones: in parts.
      for (const { key, entities } of slices)
        if (entities.length > 1)
          this.emit({ kind: 'load', topic, seq, slices: [{ key, entities: entities.splice(0, 1), more: true }] });
      this.emit({ kind: 'load', topic, seq, slices });
    }
  }

  /** `state` null = gone. Returns the sequence, or 0 where nobody follows the slice. */
  change(topic: DataTopic, changes: readonly { key: string; id: string; value: object; gone?: boolean }[]): number {
    const seen: Change[] = [];
    for (const { key, id, value, gone } of changes) {
      const json = JSON.stringify({ key, id, ...value, ...(gone ? { event: 'closed' } : {}) });
      const books = this.truth.get(`${topic} ${key}`) ?? new Map<string, string>();
      this.truth.set(`${topic} ${key}`, books);
      if (gone) books.delete(id);
      else books.set(id, json);
      if (this.loaded.has(`${topic} ${key}`)) seen.push({ key, id, json, ...(gone ? { state: null } : {}) });
    }
    if (seen.length === 0) return 0;
    const seq = this.next(topic);
    this.emit({ kind: 'change', topic, seq, changes: seen });
    return seq;
  }

  reset(epoch: number, newEpoch: boolean): void {
    this.loaded.clear();
    if (newEpoch) this.#seq = {};
    this.emit({ kind: 'reset', epoch, reason: 'test' });
  }

  next(topic: DataTopic): number {
    const seq = (this.#seq[topic] ?? 0) + 1;
    this.#seq[topic] = seq;
    return seq;
  }

  #keys(topic: DataTopic): Set<string> {
    const keys = new Set<string>();
    for (const selector of this.wanted[topic]) {
      if (!isMask(topic, selector)) keys.add(selector);
      else if (!selector.startsWith('!')) for (const key of this.masks.get(selector) ?? []) keys.add(key);
    }
    return keys;
  }
}
