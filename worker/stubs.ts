import type { DoorConfig } from './config.ts';
import type { BridgeContainer } from './holder/bridge-container.ts';
import type { StreamHub } from './hub/stream-hub.ts';
import { placeBroker } from './placement.ts';

type Place = Pick<DoorConfig, 'broker' | 'instanceVersion' | 'region'>;

/** The Durable Object that owns the broker's container. */
export const bridgeOf = (env: Env, { broker, instanceVersion, region }: Place): DurableObjectStub<BridgeContainer> =>
  env.BRIDGE.getByName(placeBroker(broker, instanceVersion), hint(region));

/** The Durable Object that holds the streams of the broker's clients. */
export const hubOf = (env: Env, { broker, instanceVersion, region }: Place): DurableObjectStub<StreamHub> =>
  env.STREAM_HUB.getByName(placeBroker(broker, instanceVersion), hint(region));

/** Counts when an object is made; afterwards it stays where it is. */
const hint = (region: DoorConfig['region']): DurableObjectNamespaceGetDurableObjectOptions =>
  region === undefined ? {} : { locationHint: region };
