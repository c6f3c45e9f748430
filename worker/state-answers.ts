import { BridgeError } from '../container/contract/errors.ts';
import type { Caller } from '../container/contract/keys.ts';
import type { BridgeState } from '../container/state/bridge-state.ts';

/** What the Durable Object answers from its own SQLite: by operationId of the route table, without waking anything. */
export type StateAnswers = Readonly<
  Record<string, (input: StateInput, caller: Caller) => Promise<unknown> | undefined>
>;

export interface StateInput {
  readonly params: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly query: Readonly<Record<string, string | number | boolean | undefined>>;
}

export function stateAnswers(state: BridgeState): StateAnswers {
  return {
    adminJournal: async ({ query }) => {
      const entries = await state.journal.list(Number(query['limit']));
      return { items: entries.map((entry) => ({ at: new Date(entry.atMs).toISOString(), ...entry })) };
    },
    adminCheckpoint: async () => {
      const [upstream, sessions, unsettled] = await Promise.all([
        state.signIn.read(),
        state.sessions.list({}),
        state.operations.unsettled(MOST_COUNTED),
      ]);
      return { upstream, counts: { consumerSessions: sessions.length, unsettledOperations: unsettled.length } };
    },
    adminSignInReset: async () => {
      await state.signIn.reset();
      return { reset: true };
    },
  };
}

/** More unsettled operations than this are a number of their own. */
const MOST_COUNTED = 1000;

/** @throws BridgeError `route_not_found` */
export function stateAnswer(
  answers: StateAnswers,
  operationId: string,
  input: StateInput,
  caller: Caller,
): Promise<unknown> {
  const answer = answers[operationId]?.(input, caller);
  if (!answer) throw new BridgeError('route_not_found', `${operationId} is not answered by the Durable Object.`);
  return answer;
}
