import { type ApiKey, KeyRing } from '../contract/key-records.ts';
import type { Keys } from '../http/authenticate.ts';
import type { BridgeState } from '../state/bridge-state.ts';

/** The keys of the state, found by hash; made again when they change. */
export function keysOf(state: BridgeState, broker: string, now: () => number): Keys {
  let from: ReadonlyMap<string, ApiKey> | undefined;
  let ring = new KeyRing([]);
  return {
    now,
    broker,
    used: (id) => state.keys.used(id),
    ring: () => {
      const active = state.keys.active();
      if (active !== from) ring = new KeyRing(active.values());
      from = active;
      return ring;
    },
  };
}
