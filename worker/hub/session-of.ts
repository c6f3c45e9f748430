import type { SystemState } from '../../container/stream/core-options.ts';
import type { BridgeStatus } from '../holder/bridge-status.ts';

/** In the words of the stream. */
export function sessionOf({ session: { state } }: BridgeStatus): SystemState['session'] {
  if (state === 'ready' || state === 'asleep') return state;
  return state === 'idle' || state === 'closed' ? 'asleep' : 'lost';
}
