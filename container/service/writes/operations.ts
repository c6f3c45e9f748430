import { reconcileOperation } from '../../contract/routes/operations.ts';
import { operationView, requireOperation } from '../../state/operation-view.ts';
import type { StateApi } from '../../state/state-api.ts';
import { handle, type HandlersOf } from '../handler.ts';
import type { StateRoute } from '../../state/state-answers.ts';
import { stateHandlers } from '../state-handlers.ts';
import type { Settler } from './settler.ts';

/** The ledger, the kill switch and the rest of the state, as their routes show them; and the look at the books on demand. */
export const operationHandlers = (
  state: StateApi,
  settler: Settler,
): HandlersOf<StateRoute | typeof reconcileOperation> => ({
  ...stateHandlers(state),
  ...handle(reconcileOperation, async ({ params, query }, { caller }) => {
    const operation = await requireOperation(state, caller, { key: params.key, owner: query.caller });
    return { body: operationView(await settler.reconcile(operation)) };
  }),
});
