import type { OperationState } from './state-api.ts';

/**
 * Every legal change of an operation's state. A row says `unknown` when nobody can tell yet; only looks at the broker's
 * books, or a late answer of the process that sent it, lead out of there. `not_executed` re-opens when an order turns
 * up late, `unresolved` when somebody forces another look.
 */
export const OPERATION_TRANSITIONS: Readonly<Record<OperationState, readonly OperationState[]>> = {
  sending: ['pending', 'done', 'partial', 'refused', 'unknown'],
  pending: ['pending', 'done', 'partial', 'refused', 'unknown'],
  unknown: ['unknown', 'pending', 'done', 'partial', 'refused', 'not_executed', 'unresolved'],
  not_executed: ['not_executed', 'unknown', 'done', 'refused'],
  unresolved: ['unresolved', 'unknown', 'done', 'partial', 'refused', 'not_executed'],
  done: [],
  partial: [],
  refused: [],
};

/** States in which nothing more is expected to happen by itself. */
const SETTLED_STATES: readonly OperationState[] = ['done', 'partial', 'refused', 'not_executed', 'unresolved'];

export const isSettled = (state: OperationState): boolean => SETTLED_STATES.includes(state);
