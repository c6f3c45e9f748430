import type { Broker, DoorConfig } from './config.ts';
import { placedBroker } from './placement.ts';

/** The own name of a Durable Object; an alarm may be told none. */
const NAME_KEY = 'bridge:name';

/** The name that a Durable Object was first asked for by. */
export function ownName({ id, storage }: Pick<DurableObjectState, 'id' | 'storage'>): string | undefined {
  const kept = storage.kv.get<string>(NAME_KEY);
  if (id.name !== undefined && kept === undefined) storage.kv.put(NAME_KEY, id.name);
  return id.name ?? kept;
}

/** Whose Durable Object this is. One whose broker left `BROKERS` still knows its id. */
export function ownBroker(name: string | undefined, { brokers }: Pick<DoorConfig, 'brokers'>): Broker {
  const id = placedBroker(name);
  return id === undefined ? brokers[0] : (brokers.find((broker) => broker.id === id) ?? { id, region: undefined });
}
