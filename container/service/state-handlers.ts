import type { AnyRoute } from '../contract/route.ts';
import type { StateApi } from '../state/state-api.ts';
import { STATE_ANSWERS, type StateRoute } from '../state/state-answers.ts';
import { actorOf, type HandlersOf, type RouteHandler } from './handler.ts';

/** The routes that the state alone can answer, where no Durable Object does it before the container is asked. */
export const stateHandlers = (state: StateApi): HandlersOf<StateRoute> =>
  Object.fromEntries(
    Object.entries(STATE_ANSWERS).map(([id, answer]): [string, RouteHandler<AnyRoute>] => [
      id,
      async (input, context) => ({ body: await answer(state, input, context.caller, actorOf(context)) }),
    ]),
  ) as HandlersOf<StateRoute>;
