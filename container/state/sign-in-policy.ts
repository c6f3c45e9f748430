import type { SignInFailureKind } from './state-api.ts';

/**
 * How often the bridge may sign in. Back-off as seen to satisfy brokers (mt5-webapi §1.7: 5 s → 2 min, ±20 %; refused
 * credentials wait longer), and two windows that hold however the jitter falls and however often processes die.
 */
export interface SignInPolicy {
  readonly baseMs: number;
  readonly capMs: number;
  /** Cap where the server knows us and says no: asking again soon cannot help and may block the account. */
  readonly refusedCapMs: number;
  /** ±, as a fraction. */
  readonly jitter: number;
  /** Sign-ins that failed, or that nothing was heard of again. */
  readonly failedPerMinute: number;
  readonly failedPerHour: number;
  /** Instances that signed in and then vanished without saying so: a crashing program, or a host that kills it. */
  readonly vanishedPerMinute: number;
  readonly vanishedPerHour: number;
  /** All sign-ins, of healthy instances too: pool growth and lost connections. */
  readonly allPerMinute: number;
  readonly allPerHour: number;
}

export const SIGN_IN_POLICY: SignInPolicy = {
  baseMs: 5000,
  capMs: 120_000,
  refusedCapMs: 300_000,
  jitter: 0.2,
  failedPerMinute: 5,
  failedPerHour: 30,
  vanishedPerMinute: 20,
  vanishedPerHour: 120,
  allPerMinute: 60,
  allPerHour: 600,
};

/** Wait after the n-th consecutive failure, n ≥ 1. `random` in [0, 1). */
export function backoffMs(policy: SignInPolicy, failures: number, kind: SignInFailureKind, random: number): number {
  const cap = kind === 'refused' || kind === 'impostor' ? policy.refusedCapMs : policy.capMs;
  // 2^20 · base is beyond every cap; the bound keeps the power finite.
  const plain = Math.min(cap, policy.baseMs * 2 ** Math.min(20, failures - 1));
  return Math.round(plain * (1 - policy.jitter + 2 * policy.jitter * random));
}

/**
 * When one more event fits a window: `now` if fewer than `limit` lie in the last `windowMs`, else the moment the oldest
 * that is too many leaves it. `times` ascending.
 */
export function windowOpensAtMs(times: readonly number[], limit: number, windowMs: number, nowMs: number): number {
  const blocking = times[times.length - limit];
  return blocking === undefined ? nowMs : Math.max(nowMs, blocking + windowMs);
}
