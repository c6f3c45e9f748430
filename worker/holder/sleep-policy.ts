/** What is known when the time without a request has run out. */
export interface SleepFacts {
  /** Whether the policy (policy/awake.ts) wants it awake: trading hours, usual hours, streams, unsettled operations. */
  readonly wanted: boolean;
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
  const { wanted, inFlight, stoppingSinceMs, nowMs } = facts;
  if (stoppingSinceMs !== null) return nowMs - stoppingSinceMs >= STOP_GRACE_MS ? 'kill' : 'stay';
  return wanted || inFlight > 0 ? 'stay' : 'stop';
}

/** `sleepAfter` as the library takes it: whole seconds, minutes or hours. Others throw inside its constructor. */
export const SLEEP_AFTER_PATTERN = /^[1-9]\d{0,4}[smh]$/;
