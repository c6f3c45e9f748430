import { BridgeError } from '../contract/errors.ts';
import type { BatchTaken, EventBatch } from '../contract/events.ts';
import type { EventOutbox } from '../state/event-outbox.ts';

/** Of one batch: what a call between Durable Objects carries with ease. */
const BATCH_EVENTS = 500;
const BATCH_CHARACTERS = 1_000_000;
/** Events of one moment travel together. */
const GATHER_MS = 100;
/** After a failure, doubled each time up to the cap. */
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;

export interface PumpParts {
  readonly outbox: Pick<EventOutbox, 'waiting' | 'taken'>;
  /** May let go of what it took in the transaction that keeps it, where both are in one database. */
  readonly take: (batch: EventBatch) => Promise<BatchTaken>;
  /** How long events gather before they are handed over. */
  readonly gatherMs?: number;
  readonly pause: (ms: number) => Promise<unknown>;
  readonly onFault: (error: unknown) => void;
  /** Told of each answer: how far the audit is behind. */
  readonly onTaken?: (taken: BatchTaken) => void;
}

/**
 * Hands the events that wait to whoever keeps them. At least once: what was taken is let go only after it was said to be
 * taken, and whoever takes it leaves out what it has.
 */
export class Pump {
  readonly #parts: PumpParts;
  #running: Promise<void> | undefined;
  #again = false;
  #isClosed = false;
  #failures = 0;

  constructor(parts: PumpParts) {
    this.#parts = parts;
  }

  /** Something may wait. Resolves when nothing does, or when it was closed. Never rejects. */
  run(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** Whether the last hand-over failed. */
  get isStuck(): boolean {
    return this.#failures > 0;
  }

  close(): void {
    this.#isClosed = true;
  }

  async #run(): Promise<void> {
    await this.#parts.pause(this.#parts.gatherMs ?? GATHER_MS);
    while (this.#again && !this.#isClosed) {
      this.#again = false;
      try {
        while (!this.#isClosed && (await this.#handOver()));
      } catch (error) {
        this.#again = true;
        this.#failures += 1;
        if (this.#failures === 1) this.#parts.onFault(error);
        await this.#parts.pause(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#failures - 1)));
      }
    }
  }

  /** @returns whether there may be more */
  async #handOver(): Promise<boolean> {
    const { outbox, take, onTaken } = this.#parts;
    const batch = outbox.waiting(BATCH_EVENTS, BATCH_CHARACTERS);
    const newest = batch.events.at(-1)?.seq;
    if (newest === undefined) return false;
    const answer = await take(batch);
    this.#failures = 0;
    onTaken?.(answer);
    outbox.taken(answer.taken);
    if (answer.taken < newest) throw new BridgeError('outbox_full', 'The events are not taken now.');
    return true;
  }
}
