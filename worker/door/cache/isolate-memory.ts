import type { AnyRoute } from '../../../container/contract/route.ts';
import { REFERENCE_CLASSES, type ReferenceClass } from '../../../container/contract/reference-data.ts';
import { type CountsByClass, noCounts } from '../../reference-wire.ts';

/** An answer as an isolate has it. */
export interface MemoryAnswer {
  readonly route: AnyRoute;
  readonly of: ReferenceClass;
  /** What the Durable Object knows it by. */
  readonly storeKey: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  readonly etag: string;
  readonly readAtMs: number;
  readonly freshForMs: number;
  readonly generation: number;
  /** When the Durable Object told it, and why it gave something old; null = it was not. */
  readonly toldAtMs: number;
  readonly stale: string | null;
  /** The Durable Object is being asked for it anew. */
  isAsked: boolean;
}

/** What callers of one kind get: those that see every login, and those that are bound to some. */
export type Sight = 'all' | 'bound';
export type MemorySlot = { readonly [one in Sight]?: MemoryAnswer };

/** An isolate has 128 MB for everything. */
const MOST_BYTES = 16 * 1024 * 1024;
/** What an entry takes beside its body, roundly. */
const ENTRY_BYTES = 512;

/** Reference data in an isolate's memory, by broker and request target; what was asked for longest ago goes first. */
export class IsolateMemory {
  readonly #slots = new Map<string, MemorySlot>();
  readonly #mostBytes: number;
  #bytes = 0;

  constructor(mostBytes = MOST_BYTES) {
    this.#mostBytes = mostBytes;
  }

  find(key: string): MemorySlot | undefined {
    const slot = this.#slots.get(key);
    if (slot) {
      this.#slots.delete(key);
      this.#slots.set(key, slot);
    }
    return slot;
  }

  put(key: string, sight: Sight, answer: MemoryAnswer): void {
    const slot = { ...this.#slots.get(key), [sight]: answer };
    this.delete(key);
    if (bytesOf(key, slot) > this.#mostBytes) return;
    this.#slots.set(key, slot);
    this.#bytes += bytesOf(key, slot);
    for (const oldest of this.#slots.keys()) {
      if (this.#bytes <= this.#mostBytes) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const slot = this.#slots.get(key);
    if (!slot) return;
    this.#slots.delete(key);
    this.#bytes -= bytesOf(key, slot);
  }
}

const bytesOf = (key: string, { all, bound }: MemorySlot): number =>
  ENTRY_BYTES + 2 * key.length + (all?.body.byteLength ?? 0) + (bound?.body.byteLength ?? 0);

/** How many reads this isolate answered of a broker, until it is told. */
export class Answered {
  #counts = noCounts();

  count(of: keyof CountsByClass, isStale: boolean): void {
    this.#counts[of].memoryHits++;
    if (isStale) this.#counts[of].staleHits++;
  }

  /** What `tell` does not bring home is told the next time. */
  async told<T>(tell: (counts: CountsByClass) => Promise<T>): Promise<T> {
    const counts = this.#counts;
    this.#counts = noCounts();
    try {
      return await tell(counts);
    } catch (error) {
      for (const one of REFERENCE_CLASSES) {
        this.#counts[one].memoryHits += counts[one].memoryHits;
        this.#counts[one].staleHits += counts[one].staleHits;
      }
      throw error;
    }
  }
}
