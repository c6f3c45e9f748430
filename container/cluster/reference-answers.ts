import { LRUCache } from 'lru-cache';
import type { ReferenceClass } from '../contract/reference-data.ts';

/** As long as it is heard, so are invalidations (`contract/cluster.ts`: `beat`). */
const HEARD_MS = 5_000;
const MOST_BYTES = 16 * 1024 * 1024;
/** What an entry takes beside its body, roundly. */
const ENTRY_BYTES = 512;

export interface ReferenceAnswer {
  readonly of: ReferenceClass;
  readonly body: Buffer;
  readonly contentType: string;
  readonly etag: string;
  /** When the broker was asked for it, and how long it is taken for true. */
  readonly readAtMs: number;
  readonly freshForMs: number;
}

/**
 * Reference data as the holder answered it: the same for all callers who see the same logins, as at the Worker's door
 * (`worker/door/cache`). In memory alone: what is not here is asked of the holder, which has it in its own memory, and that
 * is no longer a way than to Redis.
 */
export class ReferenceAnswers {
  readonly #now: () => number;
  readonly #answers = new LRUCache<string, ReferenceAnswer>({
    maxSize: MOST_BYTES,
    sizeCalculation: ({ body }, key) => body.length + key.length + ENTRY_BYTES,
  });
  #heardAtMs = -Infinity;
  /** Raised by whatever makes old what is being read now. */
  #generation = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The holder was heard. */
  heard(): void {
    this.#heardAtMs = this.#now();
  }

  get generation(): number {
    return this.#generation;
  }

  /**
   * @param oldestMs the oldest answer that the caller takes; `null` = any
   * @param isAlone no replica holds the session: what is old is better than nothing, and says so
   */
  find(key: string, oldestMs: number | null, isAlone: boolean): ReferenceAnswer | undefined {
    const nowMs = this.#now();
    const answer = this.#answers.get(key);
    if (!answer) return undefined;
    const ageMs = nowMs - answer.readAtMs;
    if (oldestMs !== null && ageMs >= oldestMs) return undefined;
    if (isAlone) return answer;
    return nowMs - this.#heardAtMs < HEARD_MS && ageMs < answer.freshForMs ? answer : undefined;
  }

  /** Not kept: what was asked for before something changed. @param generation when it was asked for */
  keep(key: string, answer: ReferenceAnswer, generation: number): void {
    if (generation === this.#generation) this.#answers.set(key, answer);
  }

  /** Absent = of every class: a message may have been missed, or a write's end was not told. */
  forget(classes?: readonly ReferenceClass[]): void {
    this.#generation++;
    if (!classes) return this.#answers.clear();
    for (const [key, { of }] of this.#answers.entries()) if (classes.includes(of)) this.#answers.delete(key);
  }
}
