import { expect, it } from 'vitest';
import { costSettings } from '../../../../worker/holder/cost-settings.ts';

it.each([
  [{}, { instanceType: 'basic', budgetUsd: null }],
  [
    { INSTANCE_TYPE: 'lite', BUDGET_USD: '' },
    { instanceType: 'lite', budgetUsd: null },
  ],
  [
    { INSTANCE_TYPE: 'toString', BUDGET_USD: '12.50' },
    { instanceType: 'basic', budgetUsd: 12.5 },
  ],
  [{ BUDGET_USD: 'much' }, { instanceType: 'basic', budgetUsd: null }],
])('%o is %o', (env, expected) => {
  expect(costSettings(env)).toEqual(expected);
});
