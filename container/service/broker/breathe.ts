/** What is done with a part before others have their turn takes about so long: an order takes a dozen turns of the event loop. */
const PART_MS = 1;
const FIRST_ROWS = 10;
const MOST_ROWS = 500;

/**
 * Parts of a long list, with turns of the event loop between them: orders do not wait until all of it was looked at. How
 * long they are follows from how long their reader takes: an account costs 0.1 ms, a deal that was seen before a hundredth.
 */
export async function* inParts<Row>(
  rows: readonly Row[],
  turn: (tookMs: number) => Promise<unknown> = nextTurn,
): AsyncGenerator<readonly Row[], void, undefined> {
  let size = FIRST_ROWS;
  for (let at = 0; at < rows.length;) {
    const part = rows.slice(at, at + size);
    at += part.length;
    const beganAtMs = performance.now();
    yield part;
    const tookMs = performance.now() - beganAtMs;
    if (at < rows.length) await turn(tookMs);
    if (tookMs > PART_MS) size = Math.max(1, Math.floor(size / 2));
    else if (tookMs < PART_MS / 2) size = Math.min(MOST_ROWS, size * 2);
  }
}

const nextTurn = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));

/** Where the event loop is busy for more of the time, every turn of an order waits for others. */
const ROOM = 0.5;
const LOOK_EVERY_MS = 5;
/** However busy: so a desk goes on, ten questions a second. */
const REST_AT_MOST_MS = 100;

/** While somebody writes, all long lists together have this share of the event loop, after a head start. */
const SHARE = 0.2;
const HEAD_START_MS = 20;
/** A part whose reader was slow did not keep the event loop for so long. */
const PART_AT_MOST_MS = 5;

/** @returns the share of the time since `look()` was called in which the event loop was busy */
export type LoopLook = () => () => number;

const lookAtLoop: LoopLook = () => {
  const from = performance.eventLoopUtilization();
  return () => performance.eventLoopUtilization(from).utilization;
};

/**
 * What is long gives way: while somebody writes, the next question of a long list waits until the event loop has room, and
 * what was answered is looked at with pauses. With orders at 40 a second beside it, a list of 50,000 accounts takes 35 s in
 * place of 10.
 */
export class Breather {
  readonly #isWriting: () => boolean;
  readonly #look: LoopLook;
  /** What lists have taken of the event loop and not yet rested for. */
  #takenMs = 0;
  #atMs = performance.now();

  constructor(isWriting: () => boolean, look = lookAtLoop) {
    this.#isWriting = isWriting;
    this.#look = look;
  }

  get givesWay(): boolean {
    return this.#isWriting();
  }

  async rest(): Promise<void> {
    for (let restedMs = 0; restedMs < REST_AT_MOST_MS && this.#isWriting(); restedMs += LOOK_EVERY_MS) {
      const busy = this.#look();
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      if (busy() < ROOM) return;
    }
  }

  /** As `inParts`, with pauses while somebody writes. */
  inParts<Row>(rows: readonly Row[]): AsyncGenerator<readonly Row[], void, undefined> {
    return inParts(rows, (tookMs) => this.#pause(tookMs));
  }

  #pause(tookMs: number): Promise<unknown> {
    const nowMs = performance.now();
    this.#takenMs = Math.max(0, this.#takenMs - (nowMs - this.#atMs) * SHARE) + Math.min(tookMs, PART_AT_MOST_MS);
    this.#atMs = nowMs;
    const owedMs = this.#isWriting() ? this.#takenMs - HEAD_START_MS : 0;
    return owedMs <= 0 ? nextTurn() : new Promise((resolve) => setTimeout(resolve, owedMs / SHARE));
  }
}
