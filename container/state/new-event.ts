import { BRIDGE_CALLER, type BridgeEvent, type EventDraft, withoutSecrets } from '../contract/events.ts';
import { randomBytes } from './random.ts';
import { toHex } from '../contract/hex.ts';

/** An event as it is told from here on: it gets its id, its time, and holds nothing that opens anything. */
export function newEvent({ type, by, login, data }: EventDraft, broker: string, timeMs: number): BridgeEvent {
  return {
    id: `evt_${toHex(randomBytes(16))}`,
    type,
    time: new Date(timeMs).toISOString(),
    timeMs,
    broker,
    caller: by?.caller ?? BRIDGE_CALLER,
    ...(by?.address === undefined ? {} : { address: by.address }),
    ...(by?.requestId === undefined ? {} : { requestId: by.requestId }),
    ...(typeof login === 'number' ? { login } : {}),
    data: withoutSecrets(data) as Record<string, unknown>,
  };
}
