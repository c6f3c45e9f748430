import { topicEntry, type DataTopic } from '../contract/frames.ts';
import { Group } from './group.ts';
import { Ring } from './ring.ts';
import type { Change, SourceEvent } from '../contract/hub-link.ts';
import { isMask, type StreamSource } from './source.ts';

export interface Slice {
  readonly key: string;
  /** Sequence of the topic at its load; `undefined` = not loaded. Everything after it is in the ring. */
  loadedSeq: number | undefined;
  /** A part of its load has come. */
  isLoading: boolean;
  /** What a snapshot shows, with the sequence of its last change. */
  readonly entities: Map<string, { readonly json: string; readonly seq: number }>;
  readonly groups: Set<Group>;
  mark: 'live' | 'stale';
  /** When it was last marked, so that a client that missed marks can be told. */
  markedAtMs: number;
}

/** Longer than a container is away and its first look reaches back. */
const PUBLISHED_KEPT_MS = 15 * 60_000;
const MOST_PUBLISHED = 100_000;

interface Interest {
  groups: number;
  /** When the last group left; it is followed for a while longer. */
  releasedAtMs: number;
}

/** One topic of one epoch: its slices, its ring, and the groups of subscribers with the same selection. */
export class TopicLog {
  readonly name: DataTopic;
  seq = 0;
  readonly ring: Ring;
  readonly slices = new Map<string, Slice>();
  readonly groups = new Map<string, Group>();
  readonly #interest = new Map<string, Interest>();
  /** `undefined` = not resolved yet. */
  readonly #masks = new Map<string, readonly string[] | undefined>();
  readonly #source: StreamSource;
  /** When what happened was published, oldest first; 0 = it was known before anybody listened. Outlives a reset. */
  readonly #published = new Map<string, number>();
  /** Slices that were followed before a reset: what happened meanwhile is news. */
  readonly #followed = new Set<string>();

  constructor(name: DataTopic, source: StreamSource, ringBytes: number) {
    this.name = name;
    this.#source = source;
    this.ring = new Ring(ringBytes);
  }

  get interestCount(): number {
    return this.#interest.size;
  }

  /** The group of this selection; made, and its selectors wanted from the source, if it is the first. */
  groupOf(selectors: ReadonlySet<string>): Group {
    const sorted = [...selectors].sort();
    const id = sorted.join('\n');
    const known = this.groups.get(id);
    if (known) return known;
    const group = new Group(id, this.name, sorted, this.seq);
    this.groups.set(id, group);
    const wanted: string[] = [];
    for (const selector of sorted) {
      const interest = this.#interest.get(selector);
      if (interest) {
        interest.groups++;
        continue;
      }
      this.#interest.set(selector, { groups: 1, releasedAtMs: 0 });
      if (isMask(this.name, selector)) this.#masks.set(selector, undefined);
      wanted.push(selector);
    }
    this.#resolve(group);
    if (wanted.length > 0) this.#source.want(this.name, wanted);
    return group;
  }

  /** A group without members goes; what it followed lingers. */
  release(group: Group, nowMs: number): void {
    if (this.groups.get(group.id) !== group) return;
    this.groups.delete(group.id);
    for (const key of group.keys) this.slices.get(key)?.groups.delete(group);
    for (const selector of group.selectors) {
      const interest = this.#interest.get(selector);
      if (interest && --interest.groups === 0) interest.releasedAtMs = nowMs;
    }
  }

  /** Ends what nobody has wanted since `beforeMs`. */
  sweep(beforeMs: number): void {
    const dropped: string[] = [];
    for (const [selector, interest] of this.#interest)
      if (interest.groups === 0 && interest.releasedAtMs <= beforeMs) dropped.push(selector);
    if (dropped.length === 0) return;
    const orphans = new Set<string>();
    for (const selector of dropped) {
      this.#interest.delete(selector);
      for (const key of this.#masks.get(selector) ?? [selector]) orphans.add(key);
      this.#masks.delete(selector);
    }
    for (const [mask, symbols] of this.#masks)
      if (!mask.startsWith('!')) symbols?.forEach((key) => orphans.delete(key));
    for (const key of orphans) {
      if (this.#interest.has(key)) continue;
      this.slices.delete(key);
      this.#followed.delete(key);
    }
    this.#source.drop(this.name, dropped);
  }

  /** Nothing is loaded any more. A new epoch counts from 0; in the same epoch the sequence goes on. */
  reset(newEpoch: boolean): void {
    if (newEpoch) this.seq = 0;
    this.ring.reset(this.seq);
    this.slices.clear();
    for (const mask of this.#masks.keys()) this.#masks.set(mask, undefined);
    for (const group of this.groups.values()) {
      group.reset(this.seq);
      this.#resolve(group);
    }
  }

  missed(keys: readonly string[], request: { readonly id: number; readonly sinceMs: number }): void {
    this.#source.missed(this.name, keys, request);
  }

  publishedAtMs(id: string): number | undefined {
    return this.#published.get(id);
  }

  load(event: Extract<SourceEvent, { kind: 'load' }>): Set<Group> {
    this.seq = Math.max(this.seq, event.seq);
    const touched = new Set<Group>();
    for (const { key, entities, known, more } of event.slices) {
      if (!this.#followed.has(key)) for (const id of known ?? []) this.#published.set(id, 0);
      this.#followed.add(key);
      const slice = this.#slice(key);
      if (!slice.isLoading) slice.entities.clear();
      for (const { id, json } of entities) slice.entities.set(id, { json, seq: event.seq });
      slice.isLoading = more === true;
      slice.loadedSeq = more ? undefined : event.seq;
      if (more) continue;
      for (const group of slice.groups) touched.add(group);
    }
    return touched;
  }

  /** Into the slices, the ring and every group's batch. Groups with a batch are added to `dirty`. */
  change(seq: number, changes: readonly Change[], nowMs: number, dirty: Set<Group>): void {
    const kept: Change[] = [];
    const happens = topicEntry(this.name).behind === 'every';
    const touched: Group[] = [];
    this.seq = seq;
    for (const change of changes) {
      const slice = this.slices.get(change.key);
      if (slice?.loadedSeq === undefined) continue;
      const state = change.state === undefined ? change.json : change.state;
      if (state === null) slice.entities.delete(change.id);
      else if (topicEntry(this.name).stands) slice.entities.set(change.id, { json: state, seq });
      // What stands is in the slices: the ring keeps what is told.
      kept.push(change.state === undefined ? change : { key: change.key, id: change.id, json: change.json });
      // A deal; an order that is gone.
      if (happens && (state === null || !topicEntry(this.name).stands)) this.#published.set(change.id, nowMs);
      for (const group of slice.groups) {
        if (group.batch.length === 0) touched.push(group);
        group.batch.push(change.json);
      }
    }
    if (kept.length > 0) this.ring.push(seq, kept);
    this.#forgetPublished(nowMs);
    for (const group of touched) {
      group.closeBatch(seq);
      dirty.add(group);
    }
  }

  mask(mask: string, symbols: readonly string[]): Set<Group> {
    const touched = new Set<Group>();
    if (!this.#interest.has(mask)) return touched;
    this.#masks.set(mask, symbols);
    for (const group of this.groups.values()) {
      if (!group.selectors.includes(mask)) continue;
      this.#resolve(group);
      touched.add(group);
    }
    return touched;
  }

  mark(mark: 'stale' | 'live', symbols: readonly string[], nowMs: number, dirty: Set<Group>): void {
    const byGroup = new Map<Group, string[]>();
    for (const key of symbols) {
      const slice = this.slices.get(key);
      if (!slice || slice.mark === mark) continue;
      slice.mark = mark;
      slice.markedAtMs = nowMs;
      for (const group of slice.groups) {
        const list = byGroup.get(group);
        if (list) list.push(key);
        else byGroup.set(group, [key]);
      }
    }
    for (const [group, list] of byGroup) {
      group.addMark(mark, list);
      dirty.add(group);
    }
  }

  /** Whether every selector is resolved and every slice loaded. */
  isReady(selectors: Iterable<string>): boolean {
    for (const selector of selectors) {
      if (!isMask(this.name, selector)) {
        if (this.slices.get(selector)?.loadedSeq === undefined) return false;
        continue;
      }
      const symbols = this.#masks.get(selector);
      if (!symbols) return false;
      if (selector.startsWith('!')) continue;
      if (symbols.some((symbol) => this.slices.get(symbol)?.loadedSeq === undefined)) return false;
    }
    return true;
  }

  /** Whether the ring tells everything that happened to this group after `seq`. */
  holdsSince(group: Group, seq: number): boolean {
    if (seq > this.seq || seq < this.ring.floor || !this.isReady(group.selectors)) return false;
    for (const key of group.keys) if ((this.slices.get(key)?.loadedSeq ?? Infinity) > seq) return false;
    return true;
  }

  /** The slices of some selectors, less what the group excludes. */
  slicesOf(selectors: Iterable<string>, group: Group): Slice[] {
    const found = new Set<Slice>();
    for (const selector of selectors) {
      if (selector.startsWith('!')) continue;
      for (const key of isMask(this.name, selector) ? (this.#masks.get(selector) ?? []) : [selector]) {
        const slice = this.slices.get(key);
        if (slice && group.keys.has(key)) found.add(slice);
      }
    }
    return [...found];
  }

  #forgetPublished(nowMs: number): void {
    for (const [id, atMs] of this.#published) {
      if (atMs > nowMs - PUBLISHED_KEPT_MS && this.#published.size <= MOST_PUBLISHED) return;
      if (atMs > 0 || this.#published.size > MOST_PUBLISHED) this.#published.delete(id);
    }
  }

  #slice(key: string): Slice {
    const known = this.slices.get(key);
    if (known) return known;
    const slice: Slice = {
      key,
      loadedSeq: undefined,
      isLoading: false,
      entities: new Map(),
      groups: new Set(),
      mark: 'live',
      markedAtMs: 0,
    };
    this.slices.set(key, slice);
    return slice;
  }

  #resolve(group: Group): void {
    const keys = new Set<string>();
    for (const selector of group.selectors) {
      if (selector.startsWith('!')) continue;
      if (isMask(this.name, selector)) this.#masks.get(selector)?.forEach((symbol) => keys.add(symbol));
      else keys.add(selector);
    }
    for (const selector of group.selectors)
      if (selector.startsWith('!')) this.#masks.get(selector)?.forEach((symbol) => keys.delete(symbol));
    for (const key of group.keys) if (!keys.has(key)) this.slices.get(key)?.groups.delete(group);
    for (const key of keys) this.#slice(key).groups.add(group);
    group.keys = keys;
  }
}
