import type { BridgeState } from '../../container/state/bridge-state.ts';
import { logEvent } from '../log.ts';

/** The old container may still be ending, or the platform have none to give: tried again 1, 2, 4, 8 s later. */
export async function startForUnsettled(
  state: Pick<BridgeState, 'operations'>,
  start: () => Promise<void>,
): Promise<void> {
  for (let waitMs = 1_000; (await state.operations.unsettled(1)).length > 0; waitMs *= 2) {
    try {
      return await start();
    } catch (error) {
      logEvent('fault', { kind: 'start for unsettled operations', error }, 'error');
      if (waitMs > 8_000) return;
    }
    await scheduler.wait(waitMs);
  }
}
