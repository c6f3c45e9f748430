import type { Answers } from './sources.ts';

/** What the journal tells, reckoned. Pure. */

type Entry = Answers['journal']['items'][number];

/** A stretch of time in which a container ran. */
export interface AwakeSpan {
  readonly fromMs: number;
  readonly toMs: number;
  /** How it ended; `null` = it runs. */
  readonly end: Entry['event'] | null;
}

const BEGINS: ReadonlySet<Entry['event']> = new Set(['start']);
const ENDS: ReadonlySet<Entry['event']> = new Set(['stop', 'crash', 'sleep', 'rollout', 'fenced']);

/**
 * When a container ran since `fromMs`, oldest first. `isRunning`: now, by the status, so that a last start without an end
 * that was never written down is not drawn up to now.
 */
export function awakeSpans(
  entries: readonly Entry[],
  { fromMs, nowMs, isRunning }: { fromMs: number; nowMs: number; isRunning: boolean },
): readonly AwakeSpan[] {
  const spans: AwakeSpan[] = [];
  let startMs: number | undefined;
  for (const { event, atMs } of entries.toReversed()) {
    if (BEGINS.has(event)) {
      // A start over a start: the end between was not written down, and is known to be no later.
      if (startMs !== undefined) spans.push({ fromMs: startMs, toMs: atMs, end: 'crash' });
      startMs = atMs;
    } else if (ENDS.has(event) && startMs !== undefined) {
      spans.push({ fromMs: startMs, toMs: atMs, end: event });
      startMs = undefined;
    }
  }
  if (startMs !== undefined && isRunning) spans.push({ fromMs: startMs, toMs: nowMs, end: null });
  return spans.filter(({ toMs }) => toMs > fromMs).map((span) => ({ ...span, fromMs: Math.max(fromMs, span.fromMs) }));
}

export interface PhaseTimes {
  readonly phase: string;
  /** Milliseconds, of every start that told this phase. */
  readonly values: readonly number[];
}

/** In the order in which they pass; what is not named here comes after. */
const IN_ORDER = ['instance', 'process', 'permit', 'tls', 'signIn', 'firstAnswer'];
const rank = (phase: string): number => (IN_ORDER.includes(phase) ? IN_ORDER.indexOf(phase) : IN_ORDER.length);

/** Phases of the cold starts in the journal. */
export function startPhases(entries: readonly Entry[]): readonly PhaseTimes[] {
  const phases = new Map<string, number[]>();
  for (const { event, phasesMs } of entries) {
    if ((event !== 'start' && event !== 'ready') || phasesMs === null) continue;
    for (const [phase, ms] of Object.entries(phasesMs)) phases.set(phase, [...(phases.get(phase) ?? []), ms]);
  }
  return [...phases].map(([phase, values]) => ({ phase, values })).sort((a, b) => rank(a.phase) - rank(b.phase));
}
