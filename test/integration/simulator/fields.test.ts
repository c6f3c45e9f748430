import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as accountSchemas from '../../../container/contract/schemas/account.ts';
import * as marketSchemas from '../../../container/contract/schemas/market.ts';
import type { AnyObjectDefinition } from '../../../container/contract/schemas/object.ts';
import * as tradeSchemas from '../../../container/contract/schemas/trade.ts';
import { type Simulator, startSimulator } from '../../simulator/server.ts';
import { namesIn, STRUCTURES } from '../../support/field-table.ts';
import { Mt5Client } from '../../support/mt5-client.ts';

const { user, money, group, dailyReport } = accountSchemas;
const { symbol, quote, quoteStatistics } = marketSchemas;
const { order, deal, position } = tradeSchemas;
const DEFINITIONS: Readonly<Record<keyof typeof STRUCTURES, AnyObjectDefinition>> = {
  user,
  money,
  group,
  dailyReport,
  symbol,
  quote,
  quoteStatistics,
  order,
  deal,
  position,
};

let simulator: Simulator;
let client: Mt5Client;
beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
  client = new Mt5Client(simulator);
  await client.signIn(1000);
});
afterAll(async () => {
  client.close();
  await simulator.close();
});

/** What names one object of each kind. */
function query(name: keyof typeof STRUCTURES): string {
  const { orders, deals, positions } = simulator.broker.world.books;
  const ledgers = { order: orders, deal: deals, position: positions };
  if (name === 'order' || name === 'deal' || name === 'position')
    return `ticket=${ledgers[name].of(1001).at(-1)?.ticket}`;
  if (name === 'group') return 'group=real%5Chedge-usd';
  if (name === 'symbol') return 'symbol=EURUSD';
  if (name === 'quote' || name === 'quoteStatistics') return 'symbol=EURUSD&trans_id=0';
  return name === 'dailyReport' ? 'login=1001&from=0&to=4102444800' : 'login=1001';
}

describe.each(Object.entries(STRUCTURES))('%s', (name, { path, typed, extra, otherwise, secret }) => {
  const key = name as keyof typeof STRUCTURES;

  test('the simulator sends every field of the table, and no other', async () => {
    const { json } = await client.send(`/api/${path}?${query(key)}`);
    const answer = json?.['answer'] as object | readonly object[];
    const sent = Object.keys((Array.isArray(answer) ? (answer as readonly object[])[0] : answer) ?? {});
    const own = secret === '' ? [] : namesIn(secret).filter((field) => sent.includes(field));
    expect(sent.toSorted()).toEqual([...namesIn(typed), ...namesIn(extra), ...own].toSorted());
  });

  test('the bridge types what the table says it does', () => {
    const { entries, secrets } = DEFINITIONS[key];
    const sources = Object.values(entries).flatMap(({ read }) => read.sources);
    expect([...new Set(sources)].toSorted()).toEqual([...namesIn(typed), ...namesIn(otherwise)].toSorted());
    expect([...secrets].toSorted()).toEqual(namesIn(secret).toSorted());
  });
});
