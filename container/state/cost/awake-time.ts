import type { JournalEvent } from '../../contract/journal.ts';

interface Entry {
  readonly atMs: number;
  readonly event: JournalEvent;
}

const ENDS: ReadonlySet<JournalEvent> = new Set(['stop', 'crash', 'sleep', 'rollout']);

/**
 * How long the container ran between two moments, as the journal tells it, in any order of entries. A start without an
 * end still runs; an end without a start belongs to one that is older than the journal.
 */
export function awakeMs(entries: readonly Entry[], fromMs: number, toMs: number): number {
  const sorted = entries.filter(({ atMs }) => atMs < toMs).sort((a, b) => a.atMs - b.atMs);
  let sinceMs: number | undefined;
  let totalMs = 0;
  let isFirst = true;
  for (const { atMs, event } of sorted) {
    if (event === 'start') sinceMs ??= atMs;
    else if (ENDS.has(event)) {
      const beganMs = sinceMs ?? (isFirst ? fromMs : atMs);
      totalMs += Math.max(0, atMs - Math.max(beganMs, fromMs));
      sinceMs = undefined;
    } else continue;
    isFirst = false;
  }
  return totalMs + (sinceMs === undefined ? 0 : toMs - Math.max(sinceMs, fromMs));
}
