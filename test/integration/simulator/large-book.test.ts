import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/server.ts';
import { Mt5Client } from '../../support/mt5-client.ts';

/** More accounts than the first hundred, which have years behind them. */
let simulator: Simulator;
let client: Mt5Client;
beforeAll(async () => {
  simulator = await startSimulator({ clients: 1100, ticksPerSecond: 0 });
  client = new Mt5Client(simulator);
  await client.signIn();
});
afterAll(async () => {
  client.close();
  await simulator.close();
});

interface Row {
  readonly Login: string;
  readonly Balance?: string;
  readonly Margin?: string;
  readonly Symbol?: string;
}
const rowsOf = async (target: string): Promise<readonly Row[]> => {
  const { json } = await client.send(target);
  expect(json?.['retcode']).toBe('0 Done');
  return json?.['answer'] as readonly Row[];
};

test('one call brings every account of a mask, a tenth of them with positions', async () => {
  const accounts = await rowsOf('/api/user/account/get_batch?group=*');
  const clients = accounts.filter(({ Login }) => Number(Login) > 1100);
  expect(clients.map(({ Login }) => Number(Login))).toEqual(Array.from({ length: 1000 }, (_, index) => 1101 + index));
  expect(clients.filter(({ Balance }) => !(Number(Balance) > 0))).toEqual([]);
  expect(clients.filter(({ Margin }) => Number(Margin) > 0)).toHaveLength(100);
  // The same as each by itself.
  for (const login of [1001, 1101, 1102, 2100]) {
    const { json } = await client.send(`/api/user/account/get?login=${login}`);
    expect(accounts.find(({ Login }) => Login === String(login))).toEqual(json?.['answer']);
  }
});

test('each of those holds one position in each of ten symbols, and the books balance', async () => {
  const positions = await rowsOf('/api/position/get_batch?group=*');
  const of1101 = positions.filter(({ Login }) => Login === '1101');
  expect(new Set(of1101.map(({ Symbol: symbol }) => symbol)).size).toBe(10);
  expect(positions.filter(({ Login }) => Number(Login) > 1100)).toHaveLength(1000);
  expect(simulator.broker.verifyBooks()).toEqual([]);
});

test('an account is told anew as soon as money or its record changes', async () => {
  const balanceOf = async (): Promise<string | undefined> =>
    (await rowsOf('/api/user/account/get_batch?group=*')).find(({ Login }) => Login === '1102')?.Balance;
  const before = Number(await balanceOf());
  await client.send('/api/trade/balance?login=1102&type=2&balance=12.5&comment=x');
  expect(Number(await balanceOf())).toBe(before + 12.5);
  await client.send('/api/user/update?login=1102&company=Newly+Named');
  const users = (await rowsOf('/api/user/get_batch?group=*')) as readonly (Row & { readonly Company: string })[];
  expect(users.find(({ Login }) => Login === '1102')).toMatchObject({ Company: 'Newly Named' });
});
