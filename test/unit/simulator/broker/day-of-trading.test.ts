import { expect, test } from 'vitest';
import { createRandom } from '../../../simulator/broker/random.ts';
import { TestBroker } from '../../../support/broker.ts';

const OPERATIONS = 10_000;
const DAY_MS = 86_400_000;
const SYMBOLS = [
  'EURUSD',
  'GBPUSD',
  'USDJPY',
  'EURJPY',
  'XAUUSD',
  'US500',
  'DE40',
  'JP225',
  'UKOIL',
  'BTCUSD',
  'XRPUSD',
];

/** One operation of a random client: whatever it is, the books must balance after it. */
function operate(it: TestBroker, random: ReturnType<typeof createRandom>, logins: readonly number[]): number {
  const login = random.pick(logins);
  const symbol = random.pick(SYMBOLS);
  const spec = it.world.books.symbol(symbol);
  const quote = it.world.market.quote(symbol);
  const price = (share: number): string => ((((quote?.bid ?? 1) * share) | 0) / 10 ** spec.digits).toFixed(spec.digits);
  const volume = spec.volumeMin * random.integer(1, 40);
  const filling = spec.fillFlags === 3 ? random.integer(0, 1) : spec.fillFlags - 1;
  const positions = it.positions(login);
  const position = positions.length === 0 ? undefined : random.pick(positions);
  const orders = it.world.books.orders.of(login);
  const base = { Login: login, Comment: `op ${random.integer(1, 999)}` };
  switch (random.integer(0, 9)) {
    case 0:
    case 1:
    case 2:
      if (random.chance(0.05)) it.broker.dealer.set({ next: ['partial'] });
      return it.trade({
        ...base,
        Action: 200,
        Symbol: symbol,
        Type: random.integer(0, 1),
        VolumeExt: volume,
        TypeFill: filling,
      }).retcode;
    case 3:
    case 4: {
      if (position === undefined) return 0;
      const part = random.chance(0.5) ? position.volume : spec.volumeMin;
      const type = position.action === 0 ? 1 : 0;
      const fill = (it.world.books.symbol(position.symbol).fillFlags & 1) === 0 ? 1 : 0;
      return it.trade({
        ...base,
        Action: 200,
        Symbol: position.symbol,
        Type: type,
        VolumeExt: part,
        Position: position.ticket,
        TypeFill: fill,
      }).retcode;
    }
    case 5: {
      const type = random.integer(2, 7);
      const away = [0.999, 1.001, 1.001, 0.999, 1.001, 0.999][type - 2] ?? 1;
      const more = type > 5 ? { PriceTrigger: price(type === 6 ? 0.9995 : 1.0005) } : {};
      return it.trade({
        ...base,
        Action: 201,
        Symbol: symbol,
        Type: type,
        VolumeExt: volume,
        TypeFill: 2,
        PriceOrder: price(away),
        ...more,
      }).retcode;
    }
    case 6:
      if (position === undefined) return 0;
      return it.trade({
        ...base,
        Action: 202,
        Symbol: position.symbol,
        Position: position.ticket,
        PriceSL: 0,
        PriceTP: price(position.action === 0 ? 1.002 : 0.998),
      }).retcode;
    case 7: {
      const order = orders[0];
      return order === undefined ? 0 : it.trade({ ...base, Action: 204, Order: order.ticket }).retcode;
    }
    case 8: {
      const other = positions.find(
        (candidate) => candidate.symbol === position?.symbol && candidate.action !== position.action,
      );
      if (position === undefined || other === undefined) return 0;
      return it.trade({
        ...base,
        Action: 208,
        Symbol: position.symbol,
        Position: position.ticket,
        PositionBy: other.ticket,
      }).retcode;
    }
    default:
      return it.trade({ ...base, Action: 206, Type: random.integer(2, 6), PriceOrder: random.integer(-500, 1500) })
        .retcode;
  }
}

test('10,000 random operations over a day leave books that balance to the cent', () => {
  const it = new TestBroker({ ticksPerSecond: 1 });
  const random = createRandom(20_261_118);
  const logins = [...it.world.books.users.keys()].filter((login) => login > 1000);
  // Some accounts live close to their limit, so that margin calls and stop-outs happen.
  for (const group of ['demo\\forex', 'demo\\netting', 'real\\hedge-eur']) {
    for (let count = 0; count < 4; count += 1) logins.push(it.client(group, 40_000, 500));
  }
  const dealsBefore = it.world.books.deals.size;
  const codes = new Map<number, number>();
  for (let operation = 0; operation < OPERATIONS; operation += 1) {
    const retcode = operate(it, random, logins);
    codes.set(retcode, (codes.get(retcode) ?? 0) + 1);
    it.pass(Math.floor(DAY_MS / OPERATIONS));
    if (operation % 2500 === 0) expect(it.broker.verifyBooks()).toEqual([]);
  }
  expect(it.broker.verifyBooks()).toEqual([]);
  expect(it.world.books.deals.size - dealsBefore).toBeGreaterThan(3000);
  // The day contained what a trading day contains.
  const reasons = new Set([...it.world.books.deals.byTicket.values()].slice(-3500).map(({ reason }) => reason));
  expect([...reasons]).toEqual(expect.arrayContaining([2, 4]));
  expect(codes.get(10009)).toBeGreaterThan(3000);
  expect(codes.get(10010)).toBeGreaterThan(10);
  // Three seconds alone; room for a machine that runs everything at once.
}, 60_000);
