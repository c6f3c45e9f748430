import type { Caller } from '../contract/keys.ts';
import type { StateApi } from './state-api.ts';

/** What a route gets of a request, validated by its schemas. */
export interface StateInput {
  readonly params: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly query: Readonly<Record<string, string | number | boolean | undefined>>;
}

/**
 * Routes that the state alone can answer, by operationId. Behind the Worker the Durable Object serves them without waking
 * the container; on a VPS the container serves them from the same table.
 */
export type StateAnswers = Readonly<Record<string, (input: StateInput, caller: Caller) => Promise<unknown>>>;

/** More unsettled operations than this are a number of their own. */
const MOST_COUNTED = 1000;

export function stateAnswers(state: StateApi): StateAnswers {
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

/** The operationIds of the table, for a door that does not hold the state. */
export const STATE_ANSWERED: ReadonlySet<string> = new Set(['adminJournal', 'adminCheckpoint', 'adminSignInReset']);
