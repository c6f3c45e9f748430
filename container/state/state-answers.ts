import { BridgeError } from '../contract/errors.ts';
import type { Caller } from '../contract/keys.ts';
import type { AnswerOf, AnyRoute, RouteInput } from '../contract/route.ts';
import { adminCheckpoint, adminJournal, adminSignInReset } from '../contract/routes/admin.ts';
import { getOperation, listOperations } from '../contract/routes/operations.ts';
import { endCurrentSession, getCurrentSession, listSessions, revokeSession } from '../contract/routes/sessions.ts';
import { getTradingHalt, haltTrading, resumeTrading } from '../contract/routes/trading.ts';
import { consumerSessionView } from './consumer-session-view.ts';
import { listOperationViews, operationView, requireOperation } from './operation-view.ts';
import type { StateApi, TradingHalt } from './state-api.ts';

type StateAnswer<R extends AnyRoute> = (state: StateApi, input: RouteInput<R>, caller: Caller) => Promise<AnswerOf<R>>;

export type StateRoute =
  | typeof getOperation
  | typeof listOperations
  | typeof getTradingHalt
  | typeof haltTrading
  | typeof resumeTrading
  | typeof getCurrentSession
  | typeof endCurrentSession
  | typeof listSessions
  | typeof revokeSession
  | typeof adminJournal
  | typeof adminCheckpoint
  | typeof adminSignInReset;

/** Ties an answer to its route's types. */
const answers = <R extends AnyRoute>(route: R, answer: StateAnswer<R>): StateAnswersOf<R> =>
  ({ [route.id]: answer }) as StateAnswersOf<R>;

type StateAnswersOf<R extends AnyRoute> = { readonly [Id in R['id']]: StateAnswer<AnyRoute> };

/** Whether a route of this operationId is answered here. */
export const isStateRoute = (id: string): id is StateRoute['id'] => Object.hasOwn(STATE_ANSWERS, id);

/** Unsettled operations are counted up to here. */
const MOST_COUNTED = 1000;

/**
 * Routes that the state alone can answer, by operationId. Behind the Worker the Durable Object serves them without waking
 * the container; on a VPS the container serves them from the same table.
 */
export const STATE_ANSWERS: StateAnswersOf<StateRoute> = {
  ...answers(getOperation, async (state, { params }, caller) =>
    operationView(await requireOperation(state, caller, params.key)),
  ),
  ...answers(listOperations, (state, { query }, caller) => listOperationViews(state, caller, query)),

  ...answers(getTradingHalt, haltView),
  ...answers(haltTrading, async (state, { body }) => {
    await state.operations.setHalted(true, body.reason);
    return haltView(state);
  }),
  ...answers(resumeTrading, async (state) => {
    await state.operations.setHalted(false, '');
    return haltView(state);
  }),

  ...answers(getCurrentSession, async (state, _input, caller) => {
    const id = requireSession(caller);
    const login = caller.logins?.[0]?.[0];
    const open = await state.sessions.list(login === undefined ? {} : { login });
    const found = open.find((session) => session.id === id);
    if (!found) throw new BridgeError('unauthenticated', 'The session has ended.');
    return consumerSessionView(found);
  }),
  ...answers(endCurrentSession, async (state, _input, caller) => ({
    revoked: await state.sessions.revoke(requireSession(caller), 'ended by its holder'),
  })),
  ...answers(listSessions, async (state, { query }) => ({
    items: (await state.sessions.list(query.login === undefined ? {} : { login: query.login })).map(
      consumerSessionView,
    ),
    nextCursor: null,
  })),
  ...answers(revokeSession, async (state, { params }) => ({
    revoked: await state.sessions.revoke(params.id, 'by an administrator'),
  })),

  ...answers(adminJournal, async (state, { query }) => ({
    items: (await state.journal.list(query.limit)).map((entry) => ({
      at: new Date(entry.atMs).toISOString(),
      ...entry,
    })),
  })),
  ...answers(adminCheckpoint, async (state) => {
    const [upstream, sessions, unsettled] = await Promise.all([
      state.signIn.read(),
      state.sessions.list({}),
      state.operations.unsettled(MOST_COUNTED),
    ]);
    return { upstream, counts: { consumerSessions: sessions.length, unsettledOperations: unsettled.length } };
  }),
  ...answers(adminSignInReset, async (state) => {
    await state.signIn.reset();
    return { reset: true };
  }),
};

async function haltView(state: StateApi): Promise<AnswerOf<typeof getTradingHalt>> {
  const { halted, reason, sinceMs }: TradingHalt = await state.operations.halted();
  return { halted, reason, since: sinceMs === null ? null : new Date(sinceMs).toISOString(), sinceMs };
}

function requireSession({ sessionId }: Caller): string {
  if (sessionId !== undefined) return sessionId;
  throw new BridgeError('object_not_found', {
    detail: 'The request was made with an API key, not with the token of a session.',
    outcome: 'not_sent',
  });
}
