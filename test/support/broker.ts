/** A broker with a clock that only tests move, and a dealer who answers at once. */
import { Broker, type BrokerOptions } from '../simulator/broker/broker.ts';
import type { Outcome } from '../simulator/broker/dealer-desk.ts';
import { ACTION, parseTradeRequest } from '../simulator/broker/trade-request.ts';
import { parseDecimal } from '../simulator/broker/money.ts';

/** A Wednesday, 10:00 UTC: noon of the server, every market open. */
export const WEDNESDAY_UTC_MS = Date.UTC(2026, 10, 18, 10, 0, 0);

export type Fields = Readonly<Record<string, string | number>>;

export class TestBroker {
  readonly broker: Broker;
  nowMs = WEDNESDAY_UTC_MS;

  constructor(options: Partial<BrokerOptions> = {}) {
    this.broker = new Broker({ seed: 7, ticksPerSecond: 0, now: () => this.nowMs, ...options });
  }

  get world() {
    return this.broker.world;
  }

  /** Real time and the broker's pass, ticks and all. */
  pass(ms: number): void {
    this.nowMs += ms;
    this.broker.turn();
  }

  /** Sends a dealer request and returns what became of it. */
  trade(fields: Fields): Outcome {
    const text = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
    const request = parseTradeRequest(text, 1000);
    if (request === undefined) throw new Error('not a dealer request');
    const sent = this.world.dealers.send(1, request);
    if ('retcode' in sent) return { retcode: sent.retcode };
    const events = [...this.world.dealers.poll(1, [sent.id]).values()][0];
    const last = events?.at(-1);
    if (last?.kind !== 'answer') throw new Error('the dealer has not answered');
    return last.outcome;
  }

  /** A market order of `lots` × 0.01. */
  market(login: number, symbol: string, side: 'buy' | 'sell', hundredths: number, more: Fields = {}): Outcome {
    return this.trade({
      Action: ACTION.execute,
      Login: login,
      Symbol: symbol,
      Type: side === 'buy' ? 0 : 1,
      Volume: hundredths * 100,
      ...more,
    });
  }

  /** Sets a symbol's market by decimal prices and lets the engine see it. */
  quote(symbol: string, bid: string, ask: string): void {
    const { digits } = this.world.books.symbol(symbol);
    const quote = this.world.market.set(
      symbol,
      this.broker.time.serverMs(),
      parseDecimal(bid, digits) ?? 0,
      parseDecimal(ask, digits) ?? 0,
    );
    if (quote === undefined) throw new Error(`no symbol ${symbol}`);
    this.broker.react([quote]);
  }

  /** A new client without history, with a balance in the smallest unit. */
  client(group: string, balance: number, leverage = 100): number {
    const { books, execution } = this.world;
    const login = Math.max(...books.users.keys()) + 1;
    const user = this.broker.openAccount(login, group, leverage);
    execution.balance({
      user,
      action: 2,
      amount: balance,
      comment: 'Deposit',
      dealer: 1000,
      timeMsc: this.broker.time.serverMs(),
    });
    return login;
  }

  positions(login: number) {
    return this.world.books.positions.of(login);
  }

  deals(login: number) {
    return this.world.books.deals.of(login);
  }

  state(login: number) {
    const user = this.world.books.users.get(login);
    if (user === undefined) throw new Error(`no login ${login}`);
    return this.world.accounts.state(user);
  }
}
