/** States of the road to the broker, as `GET /v1/status` names them. */

/** Of the session that a running process holds. */
export const LIVE_SESSION_STATES = [
  'idle',
  'connecting',
  'challenged',
  'ready',
  'backoff',
  'refused',
  'unreachable',
  'draining',
  'closed',
] as const;
export type SessionStateName = (typeof LIVE_SESSION_STATES)[number];

/** `asleep`: no process holds one, and the next request starts one. */
export const SESSION_STATES = [...LIVE_SESSION_STATES, 'asleep'] as const;

export const CONTAINER_STATES = ['stopped', 'starting', 'running', 'stopping'] as const;

/** What anybody may be told of the session: why it cannot be reached names the broker's addresses. */
export const publicSession = <S extends { readonly state: string; readonly reason: string | null }>(session: S): S =>
  session.state === 'unreachable'
    ? { ...session, reason: 'The broker cannot be reached; GET /v1/status says more to who has a key.' }
    : session;

/** What an operator should look at while everything goes on. */
export const WARNING_CODES = ['wake_up_missed', 'cron_missed'] as const;
