import type { StateApi } from '../state/state-api.ts';
import { STATE_ANSWERS } from '../state/state-answers.ts';
import type { RouteHandlers } from './handler.ts';

/** The routes that the state alone can answer, where no Durable Object does it before the container is asked. */
export const stateHandlers = (state: StateApi): RouteHandlers =>
  Object.fromEntries(
    Object.entries(STATE_ANSWERS).map(([id, answer]) => [
      id,
      async (input, { caller }) => ({ body: await answer(state, input, caller) }),
    ]),
  );
