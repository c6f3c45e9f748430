/**
 * Which Durable Object holds a broker's session. Sticky and never random: a session belongs to one container.
 *
 * The version is in the name because a Durable Object can get stuck on the platform ("not listening" for ever, state
 * healthy): raising `INSTANCE_VERSION` leaves it behind, with its memory of operations and sessions.
 */
export const placeBroker = (broker: string, version: number): string => `mt5/${broker}/v${version}`;
