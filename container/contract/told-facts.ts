import type { z } from 'zod';
import type { FiguresReport } from './figures.ts';
import type { momentOut, toldStatus } from './schemas/status.ts';

type Moment = z.input<typeof momentOut>;
type ToldStatus = { readonly [Name in keyof typeof toldStatus]: z.input<(typeof toldStatus)[Name]> };

export const momentOf = (atMs: number, nowMs: number): Moment => ({
  at: new Date(atMs).toISOString(),
  atMs,
  ageMs: Math.max(0, nowMs - atMs),
});

const momentOrNull = (atMs: number | null | undefined, nowMs: number): Moment | null =>
  atMs === null || atMs === undefined ? null : momentOf(atMs, nowMs);

/** What the program told last, as the status shows it: each fact with its age. `null` = none has ever told. */
export function toldFacts(report: FiguresReport | null, nowMs: number): ToldStatus {
  const facts = report?.facts;
  const logins = Object.entries(report?.metrics['mt5_logins_total'] ?? {});
  const sum = (wanted: (result: string) => boolean): number =>
    logins.reduce((all, [result, count]) => all + (wanted(result) && typeof count === 'number' ? count : 0), 0);
  return {
    told: momentOrNull(report?.atMs, nowMs),
    lastAnswer: momentOrNull(facts?.lastAnswerAtMs, nowMs),
    lastHeartbeat: momentOrNull(facts?.lastHeartbeatAtMs, nowMs),
    signIns: { succeeded: sum((result) => result === 'succeeded'), failed: sum((result) => result !== 'succeeded') },
    clock: facts?.clock ? { offsetMs: facts.clock.offsetMs, measured: momentOf(facts.clock.readAtMs, nowMs) } : null,
    pool: facts?.pool ?? null,
    followed: facts?.followed ?? null,
    symbols: (facts?.symbols ?? []).map(({ symbol, lastTickAtMs, stale }) => ({
      symbol,
      lastTick: momentOf(lastTickAtMs, nowMs),
      stale,
    })),
    feed: facts?.feed ?? null,
  };
}

/** Older than this, what a program told is not how things stand. */
const FRESH_MS = 30_000;

/** Followed symbols for the verdict, as long as somebody vouches for them. */
export const followedNow = (
  report: FiguresReport | null,
  nowMs: number,
): FiguresReport['facts']['followed'] | undefined =>
  report && nowMs - report.atMs <= FRESH_MS ? report.facts.followed : undefined;
