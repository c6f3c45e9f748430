import type { Caller } from '../contract/keys.ts';
import type { AnswerOf } from '../contract/route.ts';
import type { getCurrentSession } from '../contract/routes/sessions.ts';
import type { ConsumerSession } from './state-api.ts';

/** A consumer session as its routes show it: nothing that opens anything. */
export function consumerSessionView(session: ConsumerSession): AnswerOf<typeof getCurrentSession> {
  const { id, login, scopes, openedBy, createdAtMs, expiresAtMs, lastSeenAtMs } = session;
  return {
    id,
    login,
    scopes,
    openedBy,
    createdAt: new Date(createdAtMs).toISOString(),
    createdAtMs,
    expiresAt: new Date(expiresAtMs).toISOString(),
    expiresAtMs,
    lastSeenAt: new Date(lastSeenAtMs).toISOString(),
    lastSeenAtMs,
  };
}

/** Who calls with the token of a session: its one login, under the limits of the key that opened it. */
export const callerOfSession = (session: ConsumerSession): Caller => ({
  id: `${session.openedBy}/${session.login}`,
  scopes: session.scopes,
  logins: [[session.login, session.login]],
  sessionId: session.id,
  openedBy: session.openedBy,
  expiresAtMs: session.expiresAtMs,
  ...(session.limits ? { limits: session.limits } : {}),
});
