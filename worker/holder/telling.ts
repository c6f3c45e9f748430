import type { BridgeStateOptions } from '../../container/state/bridge-state.ts';
import type { EventOutbox } from '../../container/state/event-outbox.ts';
import { Pump } from '../../container/outbox/pump.ts';
import { auditBucketOf, doorConfig } from '../config.ts';
import { logEvent } from '../log.ts';
import { ownBroker } from '../own-place.ts';
import { placedBroker } from '../placement.ts';
import { outboxOf } from '../stubs.ts';

export interface TellingParts {
  readonly env: Env;
  /** The object's own name. */
  readonly name: string | undefined;
  readonly outbox: EventOutbox;
  /** Calls `tell` of this object after so long, even if it ends meanwhile. */
  readonly again: (delayMs: number) => void;
}

/** The pump itself asks again sooner, while this object lives. */
const AGAIN_MS = 60_000;

/** Whose events they are, and what becomes of writes while too many of them wait. */
export const toldBy = (env: Env, name: string | undefined): Pick<BridgeStateOptions, 'broker' | 'outbox'> => ({
  broker: placedBroker(name) ?? env.BROKER,
  outbox: { whenFull: auditBucketOf(env) && env.OUTBOX_FULL === 'refuse' ? 'refuse' : 'drop' },
});

/** Hands the events of this object's memory to the outbox; what waits from before is handed over at once. */
export function tellOutbox({ env, name, outbox, again }: TellingParts): Pump {
  const pump = new Pump({
    outbox,
    take: (batch) => outboxOf(env, ownBroker(name, doorConfig(env))).take(batch),
    pause: (ms) => scheduler.wait(ms),
    onFault: (error) => {
      logEvent('fault', { kind: 'outbox', error }, 'error');
      again(AGAIN_MS);
    },
  });
  outbox.onTold = () => void pump.run();
  if (outbox.count > 0) void pump.run();
  return pump;
}
