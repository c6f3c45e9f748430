import { HEADER } from '../../../container/contract/headers.ts';
import {
  REFERENCE_CLASSES,
  type ReferenceClass,
  REFERENCE_FRESH_MS,
} from '../../../container/contract/reference-data.ts';
import {
  type CountsByClass,
  cacheStatus,
  noCounts,
  perClass,
  readAsk,
  type ReferenceAsk,
  type ReferenceState,
  wireText,
} from '../../reference-wire.ts';
import { decideStored, isFailure } from './reference-policy.ts';
import type { ReferenceStore, StoredReference } from './reference-store.ts';

export interface ReferenceCacheParts {
  /** Made when it is first needed. */
  readonly store: () => ReferenceStore;
  readonly now: () => number;
  /** A container runs, or whatever stands for it: asking it starts nothing. */
  readonly isAwake: () => boolean;
  readonly waitUntil: (work: Promise<unknown>) => void;
  readonly onFault: (what: string, error: unknown) => void;
}

/** To the container. `behind`: nobody waits, so that nothing is started or kept awake for it. */
export type Through = (behind: boolean) => Promise<Response>;

/** Reference data over the container: answers what is kept, forgets what a write may have changed, and says what is old. */
export class ReferenceCache {
  readonly #parts: ReferenceCacheParts;
  readonly #counts = noCounts();
  readonly #invalidations = perClass(() => 0);
  /** Keys that the container is being asked for behind the callers' backs. */
  readonly #renewing = new Set<string>();
  /** What the last renewal failed with; null = it did not. */
  #trouble: string | null = null;
  #opened: ReferenceStore | undefined;

  constructor(parts: ReferenceCacheParts) {
    this.#parts = parts;
  }

  /** A request on its way to the container; most have nothing to do with reference data. */
  async around(headers: Headers, through: Through): Promise<Response> {
    const ask = readAsk(headers);
    const changes = headers.get(HEADER.changes)?.split(',') ?? [];
    headers.delete(HEADER.reference);
    headers.delete(HEADER.changes);
    if (ask) return this.#read(ask, through);
    const classes = REFERENCE_CLASSES.filter((one) => changes.includes(one));
    return classes.length === 0 ? through(false) : this.#write(classes, through);
  }

  /** For the doors. @param answered by an isolate since it last told */
  state(answered: CountsByClass): ReferenceState {
    for (const one of REFERENCE_CLASSES) {
      this.#counts[one].memoryHits += answered[one].memoryHits;
      this.#counts[one].staleHits += answered[one].staleHits;
    }
    const byClass = perClass((one) => ({ ...this.#counts[one], invalidations: this.#invalidations[one] }));
    return { generations: this.#store.generations, statistics: { entries: this.#store.entries, byClass } };
  }

  /** Of classes, or of all: what is kept is as if it had never been read. */
  invalidate(classes: readonly ReferenceClass[] = REFERENCE_CLASSES): void {
    for (const one of classes) {
      this.#store.invalidate(one);
      this.#invalidations[one]++;
    }
  }

  async #read(ask: ReferenceAsk, through: Through): Promise<Response> {
    const { now, isAwake, waitUntil } = this.#parts;
    const stored = this.#find(ask.key);
    const known = stored ? { ageMs: now() - stored.readAtMs, freshForMs: stored.freshForMs } : null;
    const decision = decideStored({ stored: known, oldestMs: ask.oldestMs, isAwake: isAwake() });
    if (stored && decision !== 'forward') {
      if (decision === 'answer, renew') waitUntil(this.#renew(ask, through));
      return this.#answer(ask, stored, isAwake() ? (this.#trouble ?? 'being renewed') : 'the container sleeps');
    }
    this.#counts[ask.class].misses++;
    const generation = this.#store.generations[ask.class];
    const answer = await through(false);
    const fwd = stored ? 'request' : 'uri-miss';
    const read = await this.#keep(ask, answer, generation);
    if (read) return respond(ask, read.stored, cacheStatus('durable-object', { fwd, stored: read.isKept }), null);
    const passed = new Response(answer.body, answer);
    passed.headers.append('cache-status', cacheStatus('durable-object', { fwd, fwdStatus: answer.status }));
    return passed;
  }

  #answer(ask: ReferenceAsk, stored: StoredReference, reason: string): Response {
    const ttlMs = stored.readAtMs + stored.freshForMs - this.#parts.now();
    const stale = ttlMs > 0 ? null : reason;
    const counts = this.#counts[ask.class];
    if (!ask.behind) counts.storeHits++;
    if (!ask.behind && stale !== null) counts.staleHits++;
    return respond(ask, stored, cacheStatus('durable-object', { hit: true, ttlMs, detail: stale }), stale);
  }

  /** One at a time for a key. What fails leaves what is kept. */
  async #renew(ask: ReferenceAsk, through: Through): Promise<void> {
    if (this.#renewing.has(ask.key)) return;
    this.#renewing.add(ask.key);
    const generation = this.#store.generations[ask.class];
    try {
      const answer = await through(true);
      this.#trouble = isFailure(answer.status) ? `not renewed: status ${answer.status}` : null;
      if (!(await this.#keep(ask, answer, generation))) await answer.body?.cancel();
    } catch (error) {
      this.#trouble = 'not renewed';
      this.#parts.onFault('renewal of reference data', error);
    } finally {
      this.#renewing.delete(ask.key);
    }
  }

  /** An answer of the container, read and kept; undefined, and left unread, where it is none of reference data. */
  async #keep(
    ask: ReferenceAsk,
    answer: Response,
    generation: number,
  ): Promise<{ stored: StoredReference; isKept: boolean } | undefined> {
    const etag = answer.headers.get('etag');
    if (answer.status === 404 && generation === this.#store.generations[ask.class]) this.#delete(ask.key);
    if (answer.status !== 200 || etag === null) return undefined;
    const stored: StoredReference = {
      class: ask.class,
      contentType: answer.headers.get('content-type') ?? 'application/json; charset=utf-8',
      etag,
      body: await answer.text(),
      readAtMs: this.#parts.now() - secondsOf(answer.headers.get('age')) * 1000,
      freshForMs: REFERENCE_FRESH_MS,
      generation,
    };
    return { stored, isKept: this.#put(ask.key, stored) };
  }

  async #write(classes: readonly ReferenceClass[], through: Through): Promise<Response> {
    for (const one of classes) this.#store.beginWrite(one);
    try {
      return await through(false);
    } finally {
      // Also after a failure: it may have been executed.
      for (const one of classes) {
        this.#store.endWrite(one);
        this.#invalidations[one]++;
      }
    }
  }

  get #store(): ReferenceStore {
    return (this.#opened ??= this.#parts.store());
  }

  // A memory that fails is no reason not to answer.
  #find(key: string): StoredReference | undefined {
    return this.#within('looking up', () => this.#store.find(key), undefined);
  }
  #put(key: string, stored: StoredReference): boolean {
    return this.#within('keeping', () => this.#store.put(key, stored), false);
  }
  #delete(key: string): void {
    this.#within('forgetting', () => this.#store.delete(key), undefined);
  }
  #within<T>(what: string, work: () => T, otherwise: T): T {
    try {
      return work();
    } catch (error) {
      this.#parts.onFault(`${what} reference data`, error);
      return otherwise;
    }
  }
}

/** For the door, which makes the caller's headers. */
function respond(ask: ReferenceAsk, stored: StoredReference, status: string, stale: string | null): Response {
  const { generation, readAtMs, freshForMs, etag, contentType, body } = stored;
  const headers = {
    etag,
    'content-type': contentType,
    [HEADER.reference]: wireText({ generation, readAtMs, freshForMs, stale, cacheStatus: status }),
  };
  return ask.etag === etag ? new Response(null, { status: 304, headers }) : new Response(body, { headers });
}

const secondsOf = (text: string | null): number => (text !== null && /^\d{1,9}$/.test(text) ? Number(text) : 0);
