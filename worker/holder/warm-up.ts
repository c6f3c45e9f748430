import { BridgeError } from '../../container/contract/errors.ts';
import type { StartReason } from './lifecycle.ts';
import type { Origins } from './origin/origins.ts';

/** How long a warming call waits for the sign-in to end, well or badly. */
const WARM_TIMEOUT_MS = 20_000;
/** Session states in which a sign-in is still under way. */
const SIGNING_IN: ReadonlySet<string> = new Set(['idle', 'connecting', 'challenged', 'closed']);

export interface WarmUpParts {
  readonly origins: Pick<Origins, 'ensure' | 'current'>;
  readonly reason: StartReason;
  readonly renewActivityTimeout: () => void;
  /** Resolves with the next change of its activity. */
  readonly activityChanged: () => Promise<void>;
}

/** Starts what sleeps, and leaves a session ready or a known reason why not. @throws BridgeError */
export async function warmUp({ origins, reason, renewActivityTimeout, activityChanged }: WarmUpParts): Promise<void> {
  const endsAtMs = Date.now() + WARM_TIMEOUT_MS;
  await origins.ensure(reason);
  renewActivityTimeout();
  while (!(await origins.current.answers())) {
    if (Date.now() > endsAtMs) throw new BridgeError('container_unavailable', 'The bridge does not answer.');
    await origins.ensure(reason);
  }
  origins.current.send({ type: 'warm' });
  while (SIGNING_IN.has(origins.current.activity?.session.state ?? 'idle') && origins.current.isAlive) {
    const leftMs = endsAtMs - Date.now();
    if (leftMs <= 0) break;
    await Promise.race([activityChanged(), scheduler.wait(leftMs)]);
  }
}
