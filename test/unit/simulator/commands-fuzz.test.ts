import { expect, test } from 'vitest';
import { createRandom } from '../../simulator/broker/random.ts';
import { encodeReply } from '../../simulator/codec.ts';
import { commands } from '../../simulator/commands/index.ts';
import { ACCOUNTS } from '../../simulator/managers.ts';
import { Parameters } from '../../simulator/parameters.ts';
import { defaultSwitches } from '../../simulator/switches.ts';
import { TestBroker } from '../../support/broker.ts';

const ROUNDS = 40;
/** Names that commands look for, and values that fit some of them or nothing. */
const NAMES =
  'login symbol group mask ticket index count shift from to offset total data trans_id type balance comment check_margin volume price price_open price_close base currency id text subject language priority fixflag password pass_main pass_investor name leverage rights account Login Symbol Group Action Type Volume VolumeExt TypeFill TypeTime TimeExpiration PriceOrder PriceTrigger PriceSL PriceTP PriceDeviation Position PositionBy Order Deal Digits Flags Comment Profit Storage Commission Currency CurrencyDigits ContractSize VolumeStep Path SessionsTrades Commissions MarginMode TimeZone Daylight Name Leverage'.split(
    ' ',
  );
const VALUES: readonly unknown[] = [
  '',
  '0',
  '1',
  '2',
  '6',
  '100',
  '200',
  '201',
  '202',
  '203',
  '206',
  '208',
  '-1',
  '1001',
  '1001,1002',
  '1003',
  '1005',
  '77777',
  'EURUSD',
  'XAUUSD',
  'BTCUSD',
  'NOPE',
  'demo\\forex',
  'real\\*',
  '*',
  '!*',
  '1.15',
  '1e9',
  '999999999999999999',
  '9007199254740993',
  'NaN',
  '%',
  '\u0000',
  'Ж',
  '漢'.repeat(40),
  'dohlc',
  'main',
  'Secret12!',
  'USD',
  'JPY',
  0,
  1,
  -5,
  1.5,
  1001,
  true,
  false,
  null,
  [],
  [1001],
  ['x'],
  {},
  { a: 1 },
  [[{ Open: '0', Close: '9' }]],
  [{}],
  'a,b,,c',
  ',',
  '1-2',
];

test('whatever is asked, a command answers with a return code, and trading keeps the books', () => {
  const it = new TestBroker({ clients: 12, ticksPerSecond: 5 });
  const random = createRandom(4711);
  const manager = ACCOUNTS.get(1000)?.manager;
  if (manager === undefined) throw new Error('no manager');
  const switches = defaultSwitches();
  // Changes by hand may unbalance the books, and configuration may contradict itself: they come in another run.
  const byHand = [...commands.keys()].filter((path) =>
    /\/(?:update|delete|fix|reopen|add|add_batch|delete_batch)$|^time\/set/u.test(path),
  );
  const ask = (path: string): void => {
    const record = (): Record<string, unknown> => {
      const picked: Record<string, unknown> = {};
      for (let count = random.integer(0, 9); count > 0; count -= 1) picked[random.pick(NAMES)] = random.pick(VALUES);
      return picked;
    };
    const query = new Map(Object.entries(record()).map(([name, value]) => [name.toLowerCase(), String(value)]));
    const bodies: readonly unknown[] = [undefined, record(), record(), [record()], 'text', '', 5, null, [1, 'x']];
    const body = bodies[random.integer(0, bodies.length - 1)];
    const object =
      typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : undefined;
    const parameters = new Parameters(query, object);
    const command = commands.get(path);
    const reply = command?.run({
      command: path,
      parameters,
      body,
      broker: it.broker,
      manager,
      connectionId: random.integer(1, 3),
      switches,
    });
    if (reply === undefined || reply instanceof Promise) throw new Error(`${path}: no answer`);
    expect(() => JSON.parse(encodeReply(reply, switches)) as unknown, path).not.toThrow();
    expect(Number.isSafeInteger(reply.retcode), path).toBe(true);
  };
  const run = (paths: readonly string[]): void => {
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const path of paths) ask(path);
      it.pass(60_000);
    }
  };
  run([...commands.keys()].filter((path) => !byHand.includes(path)));
  expect(it.broker.verifyBooks()).toEqual([]);
  run(byHand);
  // A second and a half alone.
}, 60_000);
