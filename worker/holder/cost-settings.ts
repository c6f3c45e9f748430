import type { CostSettings } from '../../container/state/cost/cost.ts';
import { INSTANCE_TYPES, type InstanceType } from '../../container/state/cost/prices.ts';

/** Of the Worker's variables, which the door has checked; what is not valid is as if it were not there. */
export function costSettings(env: Readonly<Record<string, unknown>>): CostSettings {
  const type = env['INSTANCE_TYPE'];
  const budget = env['BUDGET_USD'];
  return {
    instanceType: typeof type === 'string' && Object.hasOwn(INSTANCE_TYPES, type) ? (type as InstanceType) : 'basic',
    budgetUsd: typeof budget === 'string' && /^\d{1,6}(\.\d{1,2})?$/.test(budget) ? Number(budget) : null,
  };
}
