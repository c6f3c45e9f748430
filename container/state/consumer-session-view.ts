import type { Caller } from '../contract/keys.ts';
import type { ConsumerSession } from './state-api.ts';

/** A consumer session as its routes show it: nothing that opens anything. */
export function consumerSessionView(session: ConsumerSession): Readonly<Record<string, unknown>> {
  const instant = (name: string, atMs: number): Record<string, unknown> => ({
    [name]: new Date(atMs).toISOString(),
    [`${name}Ms`]: atMs,
  });
  return {
    id: session.id,
    login: session.login,
    scopes: session.scopes,
    openedBy: session.openedBy,
    ...instant('createdAt', session.createdAtMs),
    ...instant('expiresAt', session.expiresAtMs),
    ...instant('lastSeenAt', session.lastSeenAtMs),
  };
}

/** Who calls with the token of a session: its one login, under the limits of the key that opened it. */
export const callerOfSession = (session: ConsumerSession): Caller => ({
  id: `session:${session.id}`,
  scopes: session.scopes,
  logins: [[session.login, session.login]],
  sessionId: session.id,
  ...(session.limits ? { limits: session.limits } : {}),
});
