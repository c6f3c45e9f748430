/** Older than this, what the Durable Object told is asked for anew, behind the caller's back. */
export const RECHECK_AFTER_MS = 3_000;
/** Older than this nobody is answered by it: a write through another isolate is seen here by then. As long as keys are. */
export const TRUST_MS = 5_000;

/** What an isolate knows of an answer in its memory. */
export interface MemoryFacts {
  readonly nowMs: number;
  readonly readAtMs: number;
  readonly freshForMs: number;
  /** When the Durable Object told it. */
  readonly toldAtMs: number;
  /** Nobody is asking for it anew. */
  readonly isUnasked: boolean;
  /** The oldest answer that the caller takes; null = any. */
  readonly oldestMs: number | null;
}

/** `answer, ask`: with what is there, and the Durable Object is asked behind the caller's back. `ask`: the caller waits for it. */
export type MemoryDecision = 'answer' | 'answer, ask' | 'ask';

/** Of an answer whose generation is the current one: no write through the bridge has changed it. */
export function decideMemory(facts: MemoryFacts): MemoryDecision {
  const { nowMs, readAtMs, freshForMs, toldAtMs, isUnasked, oldestMs } = facts;
  const ageMs = nowMs - readAtMs;
  if (oldestMs !== null && ageMs >= oldestMs) return 'ask';
  if (ageMs < freshForMs) return 'answer';
  // Old: the Durable Object may have a newer one by now, or tell why not.
  const toldForMs = nowMs - toldAtMs;
  if (toldForMs >= TRUST_MS) return 'ask';
  return toldForMs >= RECHECK_AFTER_MS && isUnasked ? 'answer, ask' : 'answer';
}
