/** Rules of balance operations. */
import type { World } from './world.ts';
import type { BalanceOperation } from './execution.ts';
import { DEAL_ACTION } from './records.ts';
import { MAX_MONEY, TRADE } from './trade-retcodes.ts';

/** Largest amount of one operation, and of an account, in whole units of its currency. */
const MOST_MONEY = 1_000_000_000;
const INVALID_PARAMETERS = 3;

/** 0, or why the operation is refused. */
export function balanceRetcode(world: World, operation: BalanceOperation, checkMargin: boolean): number {
  const { user, action, amount } = operation;
  if (action < DEAL_ACTION.balance || action > DEAL_ACTION.bonus || amount === 0) return INVALID_PARAMETERS;
  const unit = 10 ** world.books.groupOf(user).currencyDigits;
  const kept = action === DEAL_ACTION.credit ? user.credit : user.balance;
  if (Math.abs(amount) > MOST_MONEY * unit || kept + amount > MOST_MONEY * unit) return MAX_MONEY;
  if (amount > 0 || !checkMargin) return 0;
  // What is taken must be there, and what remains must carry the positions.
  const state = world.accounts.state(user);
  return kept + amount < 0 || state.marginFree + amount < 0 ? TRADE.noMoney : 0;
}
