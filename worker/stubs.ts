import type { Broker, DoorConfig } from './config.ts';
import type { BridgeContainer } from './holder/bridge-container.ts';
import type { StreamHub } from './hub/stream-hub.ts';
import type { Outbox } from './outbox/outbox.ts';
import { placeBroker, placeOutbox } from './placement.ts';

type Place = Pick<DoorConfig, 'instanceVersion'>;

/** The Durable Object that owns a broker's container. */
export const bridgeOf = (env: Env, { instanceVersion }: Place, broker: Broker): DurableObjectStub<BridgeContainer> =>
  env.BRIDGE.getByName(placeBroker(broker.id, instanceVersion), hint(broker));

/** The Durable Object that holds the streams of a broker's clients. */
export const hubOf = (env: Env, { instanceVersion }: Place, broker: Broker): DurableObjectStub<StreamHub> =>
  env.STREAM_HUB.getByName(placeBroker(broker.id, instanceVersion), hint(broker));

/** The Durable Object that keeps the API keys of all brokers: that of `BROKER`, whether or not it is one of `BROKERS`. */
export const keeperOf = (env: Env, { instanceVersion, keeper }: DoorConfig): DurableObjectStub<BridgeContainer> =>
  env.BRIDGE.getByName(placeBroker(keeper.id, instanceVersion), hint(keeper));

/** The Durable Object that keeps a broker's events and delivers them. */
export const outboxOf = (env: Env, broker: Broker): DurableObjectStub<Outbox> =>
  env.OUTBOX.getByName(placeOutbox(broker.id), hint(broker));

/** Counts when an object is made; afterwards it stays where it is. */
const hint = ({ region }: Broker): DurableObjectNamespaceGetDurableObjectOptions =>
  region === undefined ? {} : { locationHint: region };
