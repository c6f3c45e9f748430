import type { Change } from '../contract/hub-link.ts';

export interface RingEntry {
  readonly seq: number;
  readonly changes: readonly Change[];
  readonly bytes: number;
}

/** What an entry costs besides its JSON: objects, keys and slots, measured roughly. */
const CHANGE_OVERHEAD_BYTES = 100;

/**
 * The last changes of one topic, bounded in bytes. Complete above `floor`: whoever has everything up to `seq ≥ floor`
 * can be brought up to date from here.
 */
export class Ring {
  readonly #maxBytes: number;
  #entries: RingEntry[] = [];
  /** Entries before it are dropped; the array is cut when half of it is. */
  #head = 0;
  #bytes = 0;
  #floor = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get floor(): number {
    return this.#floor;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(seq: number, changes: readonly Change[]): void {
    let bytes = 0;
    for (const change of changes) bytes += change.json.length + CHANGE_OVERHEAD_BYTES;
    this.#entries.push({ seq, changes, bytes });
    this.#bytes += bytes;
    while (this.#bytes > this.#maxBytes) {
      const dropped = this.#entries[this.#head++];
      if (!dropped) break;
      this.#bytes -= dropped.bytes;
      this.#floor = dropped.seq;
    }
    if (this.#head > 64 && this.#head > this.#entries.length / 2) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Entries above `seq`, oldest first. Only meaningful for `seq ≥ floor`. */
  since(seq: number): readonly RingEntry[] {
    let low = this.#head;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.seq ?? Infinity) > seq) high = middle;
      else low = middle + 1;
    }
    return this.#entries.slice(low);
  }

  /** Forgets all; complete only above `seq` from now on. */
  reset(seq: number): void {
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#floor = seq;
  }
}
