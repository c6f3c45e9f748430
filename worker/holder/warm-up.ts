import { BridgeError } from '../../container/contract/errors.ts';
import type { Instance } from './instance.ts';
import type { StartReason } from './lifecycle.ts';

/** How long a warming call waits for the sign-in to end, well or badly. */
const WARM_TIMEOUT_MS = 20_000;
/** Session states in which a sign-in is still under way. */
const SIGNING_IN: ReadonlySet<string> = new Set(['idle', 'connecting', 'challenged', 'closed']);

export interface WarmUpParts {
  readonly instance: Instance;
  readonly reason: StartReason;
  readonly renewActivityTimeout: () => void;
  /** Resolves with the next change of its activity. */
  readonly activityChanged: () => Promise<void>;
}

/** Starts what sleeps, and leaves a session ready or a known reason why not. @throws BridgeError */
export async function warmUp({ instance, reason, renewActivityTimeout, activityChanged }: WarmUpParts): Promise<void> {
  const endsAtMs = Date.now() + WARM_TIMEOUT_MS;
  await instance.ensure(reason);
  renewActivityTimeout();
  while (!(await instance.answers())) {
    if (Date.now() > endsAtMs) throw new BridgeError('container_unavailable', 'The container does not answer.');
    await instance.ensure(reason);
  }
  instance.send({ type: 'warm' });
  while (SIGNING_IN.has(instance.activity?.session.state ?? 'idle') && instance.isRunning) {
    const leftMs = endsAtMs - Date.now();
    if (leftMs <= 0) break;
    await Promise.race([activityChanged(), scheduler.wait(leftMs)]);
  }
}
