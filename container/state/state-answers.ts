import { BridgeError } from '../contract/errors.ts';
import type { Actor } from '../contract/events.ts';
import type { Caller } from '../contract/keys.ts';
import type { AnswerOf, AnyRoute, RouteInput } from '../contract/route.ts';
import { API_KEY_PREFIX, hashKey, loginAllowed } from '../contract/keys.ts';
import {
  changeKey,
  createKey,
  finishKeyRotation,
  type keyRoutes,
  listKeys,
  revokeKey,
  rotateKey,
} from '../contract/routes/keys.ts';
import { adminCheckpoint, adminCost, adminJournal, adminSignInReset } from '../contract/routes/admin.ts';
import { getOperation, listOperations } from '../contract/routes/operations.ts';
import { endCurrentSession, getCurrentSession, listSessions, revokeSession } from '../contract/routes/sessions.ts';
import { getTradingHalt, haltTrading, resumeTrading } from '../contract/routes/halts.ts';
import { consumerSessionView } from './consumer-session-view.ts';
import { listOperationViews, operationView, requireOperation } from './operation-view.ts';
import { randomBytes } from './random.ts';
import type { HaltScope, KeyEntry, StateApi } from './state-api.ts';
import { toHex } from '../contract/hex.ts';

type StateAnswer<R extends AnyRoute> = (
  state: StateApi,
  input: RouteInput<R>,
  caller: Caller,
  by: Actor,
) => Promise<AnswerOf<R>>;

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
  | typeof adminCost
  | typeof adminSignInReset
  | (typeof keyRoutes)[number];

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
  ...answers(getOperation, async (state, { params, query }, caller) =>
    operationView(await requireOperation(state, caller, { key: params.key, owner: query.caller })),
  ),
  ...answers(listOperations, (state, { query }, caller) => listOperationViews(state, caller, query)),

  ...answers(getTradingHalt, haltView),
  ...answers(haltTrading, async (state, { body }, _caller, by) => {
    await state.operations.halt(haltScopeOf(body), body.reason, by);
    return haltView(state);
  }),
  ...answers(resumeTrading, async (state, { body }, _caller, by) => {
    await state.operations.resume(haltScopeOf(body), by);
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
  ...answers(endCurrentSession, async (state, _input, caller, by) => ({
    revoked: await state.sessions.revoke(requireSession(caller), 'ended by its holder', by),
  })),
  ...answers(listSessions, async (state, { query }, caller) => ({
    items: (await state.sessions.list(query.login === undefined ? {} : { login: query.login }))
      .filter(({ login }) => loginAllowed(caller.logins, login))
      .map(consumerSessionView),
    nextCursor: null,
  })),
  ...answers(revokeSession, async (state, { params }, caller, by) => {
    const found = (await state.sessions.list({})).find(({ id }) => id === params.id);
    const isSeen = found !== undefined && loginAllowed(caller.logins, found.login);
    return { revoked: isSeen && (await state.sessions.revoke(params.id, `by ${caller.id}`, by)) };
  }),

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
  ...answers(adminCost, (state, { query }) => state.cost.monthToDate(query.instanceType)),
  ...answers(adminSignInReset, async (state, _input, _caller, by) => {
    await state.signIn.reset(by);
    return { reset: true };
  }),

  ...answers(listKeys, async (state) => ({ items: (await state.keys.list()).map(apiKeyView) })),
  ...answers(createKey, async (state, { body }, _caller, by) => {
    const { key, hash } = await secretOf(body.hash);
    return { key, apiKey: apiKeyView(await state.keys.create({ ...body, hash }, by)) };
  }),
  ...answers(changeKey, async (state, { params, body }, _caller, by) =>
    apiKeyView(await state.keys.change(params.id, body, by)),
  ),
  ...answers(rotateKey, async (state, { params, body }, _caller, by) => {
    const { key, hash } = await secretOf(body.hash);
    return { key, apiKey: apiKeyView(await state.keys.rotate(params.id, hash, body.keepOld, by)) };
  }),
  ...answers(finishKeyRotation, async (state, { params }, _caller, by) =>
    apiKeyView(await state.keys.finishRotation(params.id, by)),
  ),
  ...answers(revokeKey, async (state, { params }, _caller, by) => ({
    revoked: await state.keys.revoke(params.id, by),
  })),
};

async function haltView(state: StateApi): Promise<AnswerOf<typeof getTradingHalt>> {
  const halts = (await state.operations.halts()).map((halt) => ({
    ...halt,
    since: new Date(halt.sinceMs).toISOString(),
  }));
  const all = halts.find(({ kind }) => kind === 'all');
  return {
    halted: all !== undefined,
    reason: all?.reason ?? null,
    since: all?.since ?? null,
    sinceMs: all?.sinceMs ?? null,
    halts,
  };
}

function haltScopeOf({
  group,
  symbol,
  login,
}: {
  group?: string | undefined;
  symbol?: string | undefined;
  login?: number | undefined;
}): HaltScope {
  if (group !== undefined) return { kind: 'group', value: group };
  if (symbol !== undefined) return { kind: 'symbol', value: symbol };
  return login === undefined ? { kind: 'all', value: '' } : { kind: 'login', value: String(login) };
}

/** 256 bits: nothing to guess, so that a plain hash of it is enough. */
async function secretOf(hash: string | undefined): Promise<{ key: string | null; hash: string }> {
  if (hash !== undefined) return { key: null, hash };
  const key = API_KEY_PREFIX + toHex(randomBytes(32));
  return { key, hash: await hashKey(key) };
}

function apiKeyView(entry: KeyEntry): AnswerOf<typeof listKeys>['items'][number] {
  const instant = (atMs: number | null): string | null => (atMs === null ? null : new Date(atMs).toISOString());
  const {
    id,
    scopes,
    logins,
    brokers,
    expiresAt,
    ips,
    limits,
    hashes,
    source,
    createdAtMs,
    lastUsedAtMs,
    revokedAtMs,
  } = entry;
  return {
    id,
    scopes,
    logins: logins ?? null,
    brokers: brokers ?? null,
    expiresAt: expiresAt ?? null,
    ips: ips ?? null,
    limits: limits ?? null,
    secrets: hashes,
    source,
    createdAt: new Date(createdAtMs).toISOString(),
    createdAtMs,
    lastUsedAt: instant(lastUsedAtMs),
    lastUsedAtMs,
    revokedAt: instant(revokedAtMs),
    revokedAtMs,
  };
}

function requireSession({ sessionId }: Caller): string {
  if (sessionId !== undefined) return sessionId;
  throw new BridgeError('object_not_found', {
    detail: 'The request was made with an API key, not with the token of a session.',
    outcome: 'not_sent',
  });
}
