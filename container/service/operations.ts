import { getOperation, listOperations, reconcileOperation } from '../contract/routes/operations.ts';
import { getTradingHalt, haltTrading, resumeTrading } from '../contract/routes/trading.ts';
import { listOperationViews, operationView, requireOperation } from '../state/operation-view.ts';
import type { StateApi, TradingHalt } from '../state/state-api.ts';
import { handle, type RouteHandlers } from './handler.ts';
import type { Settler } from './trading/settler.ts';

/** The ledger and the kill switch, as their routes show them. */
export function operationHandlers(state: StateApi, settler: Settler): RouteHandlers {
  const { operations } = state;
  const halt = async (): Promise<{ body: object }> => ({ body: haltView(await operations.halted()) });
  return {
    ...handle(getOperation, async ({ params }, { caller }) => ({
      body: operationView(await requireOperation(state, caller, params.key)),
    })),
    ...handle(listOperations, async ({ query }, { caller }) => ({
      body: await listOperationViews(state, caller, query),
    })),
    ...handle(reconcileOperation, async ({ params }, { caller }) => ({
      body: operationView(await settler.reconcile(await requireOperation(state, caller, params.key))),
    })),
    ...handle(getTradingHalt, halt),
    ...handle(haltTrading, async ({ body }) => {
      await operations.setHalted(true, body.reason);
      return halt();
    }),
    ...handle(resumeTrading, async () => {
      await operations.setHalted(false, '');
      return halt();
    }),
  };
}

const haltView = ({ halted, reason, sinceMs }: TradingHalt): object => ({
  halted,
  reason,
  since: sinceMs === null ? null : new Date(sinceMs).toISOString(),
  sinceMs,
});
