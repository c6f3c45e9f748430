import type { Instance } from './instance.ts';
import type { LifecycleRecord } from './lifecycle.ts';
import type { PolicyVerdict } from './policy/awake.ts';
import { decideSleep } from './sleep-policy.ts';

export interface EndWhenIdleParts {
  readonly instance: Instance;
  readonly record: LifecycleRecord;
  readonly verdict: PolicyVerdict;
  /** Requests being answered. */
  readonly inFlight: number;
  /** Clients' streams are told why they get nothing, and for how long if that is known. */
  readonly pauseStreams: (forMs: number | null) => Promise<void>;
  readonly nowMs: number;
}

/** The time without a request has run out: the container ends if nothing else keeps it. */
export async function endWhenIdle(parts: EndWhenIdleParts): Promise<void> {
  const { instance, record, verdict, inFlight, pauseStreams, nowMs } = parts;
  const decision = decideSleep({
    wanted: verdict.awake,
    inFlight,
    stoppingSinceMs: record.state === 'stopping' ? record.sinceMs : null,
    nowMs,
  });
  if (decision === 'stop') {
    const { wakesAtMs } = verdict;
    if ((instance.activity?.streams ?? 0) > 0) await pauseStreams(wakesAtMs === null ? null : wakesAtMs - nowMs);
    await instance.stop('sleep');
  }
  if (decision === 'kill') await instance.kill();
}
