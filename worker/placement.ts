/**
 * Which Durable Object holds a broker's session. Sticky and never random: a session belongs to one container.
 *
 * The version is in the name because a Durable Object can get stuck on the platform ("not listening" for ever, state
 * healthy): raising `INSTANCE_VERSION` leaves it behind, with its memory of operations and sessions.
 */
export const placeBroker = (broker: string, version: number): string => `mt5/${broker}/v${version}`;

/** Which Durable Object keeps a broker's events, whatever the version. */
export const placeOutbox = (broker: string): string => `mt5/${broker}/outbox`;

/** Whose events the object of this name keeps. */
export const outboxBroker = (name: string | undefined): string =>
  /^mt5\/([a-z0-9-]+)\/outbox$/.exec(name ?? '')?.[1] ?? 'main';

/** The broker whose object has this name. */
export const placedBroker = (name: string | undefined): string | undefined =>
  /^mt5\/([a-z0-9-]+)\/v\d+$/.exec(name ?? '')?.[1];

/** The object that held the session before `INSTANCE_VERSION` was raised, by the name of the one that holds it now. */
export function placeBefore(name: string | undefined): string | undefined {
  const [, broker = '', version = ''] = /^mt5\/([a-z0-9-]+)\/v(\d+)$/.exec(name ?? '') ?? [];
  return Number(version) > 1 ? placeBroker(broker, Number(version) - 1) : undefined;
}
