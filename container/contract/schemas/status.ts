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
