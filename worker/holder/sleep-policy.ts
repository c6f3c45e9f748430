import type { Activity } from '../../container/contract/control.ts';

/** What is known when the time without a request has run out. */
export interface SleepFacts {
  /** Last word of the container, `null` when none is valid: no channel, so nobody vouches for open streams. */
  readonly activity: Pick<Activity, 'streams' | 'unsettled'> | null;
  /** Forwarded requests whose answer has not begun, each within its own deadline. */
  readonly inFlight: number;
  /** Since when the container is asked to stop; `null` = it is not. */
  readonly stoppingSinceMs: number | null;
  readonly nowMs: number;
}

export type SleepDecision = 'stay' | 'stop' | 'kill';

/**
 * How long a container may take from SIGTERM to its exit. It drains within 10 s (its own limit); Cloudflare itself
 * waits 15 minutes before SIGKILL, and the library never sends one, so a process that ignores SIGTERM would be billed
 * for ever.
 */
export const STOP_GRACE_MS = 30_000;

/** Asked only when `sleepAfter` has passed without a request: what else keeps the container awake? */
export function decideSleep(facts: SleepFacts): SleepDecision {
  const { activity, inFlight, stoppingSinceMs, nowMs } = facts;
  if (stoppingSinceMs !== null) return nowMs - stoppingSinceMs >= STOP_GRACE_MS ? 'kill' : 'stay';
  if (inFlight > 0) return 'stay';
  if (activity !== null && (activity.streams > 0 || activity.unsettled > 0)) return 'stay';
  return 'stop';
}

/** `sleepAfter` as the library takes it: whole seconds, minutes or hours. Others throw inside its constructor. */
export const SLEEP_AFTER_PATTERN = /^[1-9]\d{0,4}[smh]$/;
