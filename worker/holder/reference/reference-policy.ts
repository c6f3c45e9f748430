/** What is known when a read of reference data comes. */
export interface StoredFacts {
  /** Of what is kept; null = nothing is. */
  readonly stored: { readonly ageMs: number; readonly freshForMs: number } | null;
  /** The oldest answer that the caller takes; null = any. */
  readonly oldestMs: number | null;
  /** A container runs, or whatever stands for it: asking it starts nothing. */
  readonly isAwake: boolean;
}

/**
 * `answer`: with what is kept. `answer, renew`: the same, and the container is asked behind the caller's back. `forward`:
 * the caller waits for the container, which is started for it.
 */
export type StoredDecision = 'answer' | 'answer, renew' | 'forward';

/** Only what was never read, and who takes nothing old, waits for the container or wakes it. */
export function decideStored({ stored, oldestMs, isAwake }: StoredFacts): StoredDecision {
  if (stored === null || (oldestMs !== null && stored.ageMs >= oldestMs)) return 'forward';
  return stored.ageMs < stored.freshForMs || !isAwake ? 'answer' : 'answer, renew';
}

/** The broker, the container or the road to it failed: what is kept is better than that. A refusal (4xx) is an answer. */
export const isFailure = (status: number): boolean => status >= 500;
