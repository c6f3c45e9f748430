import { asBridgeError } from '../../container/contract/errors.ts';
import { HEADER } from '../../container/contract/headers.ts';
import type { BridgeState } from '../../container/state/bridge-state.ts';
import { inSpan } from '../span.ts';
import { callerId, failedForward } from './failed-forward.ts';
import { ForwardTimings } from './forward-timings.ts';
import type { HolderMetrics } from './holder-metrics.ts';
import type { InFlight } from './in-flight.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { ForwardRequest } from './origin/forward-to-origin.ts';
import type { Origins } from './origin/origins.ts';
import type { Succession } from './succession.ts';
import type { Wakefulness } from './wakefulness.ts';

/** What a Durable Object has for the requests that go through it. */
export interface ForwardRequestParts {
  readonly origins: Origins;
  readonly lifecycle: Lifecycle;
  readonly succession: Succession;
  readonly wakefulness: Wakefulness;
  readonly inFlight: InFlight;
  readonly metrics: HolderMetrics;
  readonly state: BridgeState;
  readonly renewActivityTimeout: () => void;
  readonly now: () => number;
}

/** One request to whoever holds the session, and its answer, whatever becomes of it. @param behind no caller waits for it: it starts nothing, and is no reason to stay awake */
export async function forwardRequest(
  forward: ForwardRequest,
  behind: boolean,
  { origins, lifecycle, metrics, state, succession, wakefulness, ...parts }: ForwardRequestParts,
): Promise<Response> {
  const { now, inFlight, renewActivityTimeout } = parts;
  const requestId = forward.headers.get(HEADER.requestId) ?? crypto.randomUUID();
  if (!behind) {
    renewActivityTimeout();
    succession.isRetired = false;
    await wakefulness.requested();
  }
  if (!forward.isRead) {
    const told = await succession.toldBefore(callerId(forward.headers), forward.headers.get(HEADER.idempotencyKey));
    if (told) return told;
  }
  const done = inFlight.begin(forward.deadlineAtMs);
  const timings = new ForwardTimings(Date.now);
  const reason = forward.isStream ? 'stream' : 'request';
  let result = 'failed';
  try {
    const answer = await origins.forward(forward, {
      reason,
      mayStart: !behind,
      starting: (start) => inSpan('bridge.ensure', {}, () => timings.starting(start())),
    });
    if (answer.ok) lifecycle.answered();
    result = 'answered';
    return timings.stamped(answer);
  } catch (error) {
    return await failedForward(forward, requestId, asBridgeError(error), { state, origins, now });
  } finally {
    done();
    metrics.forwarded(result, timings.totalMs);
    if (!behind) renewActivityTimeout();
  }
}
