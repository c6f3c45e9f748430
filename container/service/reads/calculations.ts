import { BridgeError } from '../../contract/errors.ts';
import type { Caller } from '../../contract/keys.ts';
import { money } from '../../contract/schemas/account.ts';
import type { Money } from '../../contract/schemas/account.ts';
import { plainDecimal } from '../../webapi/decimal.ts';
import { Fields, isWireObject, payload } from '../../webapi/fields.ts';
import type { WireObject } from '../../webapi/fields.ts';
import { volumeFromLots } from '../../webapi/volume.ts';
import type { ClockSource } from '../broker/broker-clock.ts';
import type { Broker, Query, ReadContext } from '../broker/broker.ts';
import { decodeObject } from '../broker/decode.ts';
import type { Market } from './market.ts';

/** What the broker works out without changing anything: margin, profit, conversion rates. */

type Side = 'buy' | 'sell';
const TYPE: Readonly<Record<Side, string>> = { buy: '0', sell: '1' };

export interface MarginCheck {
  readonly login: number;
  readonly current: Money | null;
  readonly afterwards: Money | null;
  readonly enough: boolean | null;
}

export class Calculations {
  readonly #broker: Broker;
  readonly #clock: ClockSource;
  readonly #market: Market;

  constructor(broker: Broker, clock: ClockSource, market: Market) {
    this.#broker = broker;
    this.#clock = clock;
    this.#market = market;
  }

  async margin(
    login: number,
    trade: { symbol: string; side: Side; volume: string; price?: string | undefined },
    context: ReadContext & { readonly caller: Caller },
  ): Promise<MarginCheck> {
    const query: Query = [
      ['login', String(login)],
      ['symbol', trade.symbol],
      ['type', TYPE[trade.side]],
      ['volume', wireVolume(trade.volume)],
      ['price', trade.price ?? (await this.#marketPrice(trade.symbol, trade.side, context))],
    ];
    const [reply, clock] = await Promise.all([
      this.#broker.read('trade/check_margin', query, context),
      this.#clock.get(context),
    ]);
    const fields = fieldsOf(payload(reply.body));
    const state = (name: string): Money | null => {
      const value = fields.take(name);
      return isWireObject(value) && Object.keys(value).length > 0
        ? decodeObject(money, { Login: String(login), ...value }, clock)
        : null;
    };
    const current = state('current');
    const afterwards = state('new');
    const free = afterwards?.marginFree ?? null;
    return { login, current, afterwards, enough: free === null ? null : !free.startsWith('-') };
  }

  async profit(
    trade: { group: string; symbol: string; side: Side; volume: string; priceOpen: string; priceClose: string },
    context: ReadContext,
  ): Promise<{ profit: string; profitRate: string | null }> {
    const query: Query = [
      ['group', trade.group],
      ['symbol', trade.symbol],
      ['type', TYPE[trade.side]],
      ['volume', wireVolume(trade.volume)],
      ['price_open', trade.priceOpen],
      ['price_close', trade.priceClose],
    ];
    const fields = fieldsOf(payload((await this.#broker.read('trade/calc_profit', query, context)).body));
    const profit = plainDecimal(fields.text('Profit') ?? '');
    if (profit === undefined) throw new BridgeError('broker_malformed', 'trade/calc_profit: the answer has no Profit.');
    return { profit, profitRate: plainDecimal(fields.text('Profit_rate', 'ProfitRate') ?? '') ?? null };
  }

  async rate(
    ask: {
      base: string;
      currency: string;
      side: Side;
      group?: string | undefined;
      symbol?: string | undefined;
      price?: string | undefined;
    },
    context: ReadContext,
  ): Promise<string> {
    const query: Query = [
      ['base', ask.base],
      ['currency', ask.currency],
      ...(['group', 'symbol', 'price'] as const).flatMap((name) => {
        const value = ask[name];
        return value === undefined ? [] : [[name, value] as const];
      }),
    ];
    const rate = plainDecimal(await this.#broker.scalar(`trade/calc_rate_${ask.side}`, 'Rate', query, context));
    if (rate === undefined) throw new BridgeError('broker_malformed', 'trade/calc_rate: the rate is not a number.');
    return rate;
  }

  async #marketPrice(symbol: string, side: Side, context: ReadContext): Promise<string> {
    const [quote] = (await this.#market.quotes([symbol], undefined, context)).items;
    const price = side === 'buy' ? quote?.ask : quote?.bid;
    if (price === undefined || price === null || !/[1-9]/.test(price))
      throw new BridgeError('invalid_field', {
        detail: `query.price: ${symbol} has no market price.`,
        field: 'query.price',
        expected: 'a price',
      });
    return price;
  }
}

const fieldsOf = (value: ReturnType<typeof payload>): Fields => {
  const object: WireObject = isWireObject(value) ? value : {};
  return new Fields(object);
};

/** These commands count in 1/10 000 lot only. */
function wireVolume(lots: string): string {
  const volume = volumeFromLots(lots);
  if (volume && `${volume.volume}0000` === volume.volumeExt.padStart(5, '0')) return volume.volume;
  throw new BridgeError('invalid_field', {
    detail: 'query.volume: the broker calculates in steps of 0.0001 lot.',
    field: 'query.volume',
    expected: 'lots with at most 4 places',
  });
}
