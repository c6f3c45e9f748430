import { BridgeError } from '../../contract/errors.ts';
import { RETCODE } from '../../webapi/retcodes.ts';
import type { ObjectOf } from '../../contract/schemas/object.ts';
import { user } from '../../contract/schemas/account.ts';
import { deal, order, position } from '../../contract/schemas/trade.ts';
import { Fields, isWireObject, objectAsSent, payload, payloadObjects, type WireObject } from '../../webapi/fields.ts';
import type { BrokerClock } from '../../webapi/time.ts';
import { onlyObject, type Broker, type ReadContext } from '../broker/broker.ts';
import type { ClockSource } from '../broker/broker-clock.ts';
import { decodeObject } from '../broker/decode.ts';
import { requireGroup } from '../broker/groups.ts';
import { tagIn } from '../broker/own-comment.ts';
import { symbolRules, type SymbolRules } from './symbol-rules.ts';

const decoder = new TextDecoder();
/** As in the typed API. */
const LOGINS_AT_ONCE = 100;
/** Server time may be this far from UTC either way; windows of history are widened by it rather than trust a clock. */
const ZONE_SPAN_SECONDS = 26 * 3600;
/** `OrderState` 3–6: partial, filled, rejected, expired; 2 cancelled. */
export const ORDER_STATE = {
  started: 0,
  placed: 1,
  canceled: 2,
  partial: 3,
  filled: 4,
  rejected: 5,
  expired: 6,
} as const;

/** `RETAIL_HEDGED` of EnMarginMode (mt5-webapi §3.10). */
const MARGIN_MODE_HEDGED = 2;

/** What the broker's books hold of one tag or one object: the reads that trading needs. */
export class TradeBooks {
  readonly #broker: Broker;
  readonly #clock: ClockSource;
  readonly #now: () => number;

  constructor(broker: Broker, clock: ClockSource, now: () => number) {
    this.#broker = broker;
    this.#clock = clock;
    this.#now = now;
  }

  clock(context: ReadContext): Promise<BrokerClock> {
    return this.#clock.get(context);
  }

  // ── Reference data ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Rules of a symbol with the overrides of the account's group. @throws BridgeError `invalid_field` */
  async rules(login: number, symbol: string, context: ReadContext): Promise<SymbolRules> {
    const group = await this.group(login, context);
    const query = [
      ['symbol', symbol],
      ['group', group],
    ] as const;
    try {
      const { reply } = await this.#broker.reference('symbols', 'symbol/get_group', query, context);
      const object = payload(reply.body);
      const found = Array.isArray(object) ? object[0] : object;
      if (isWireObject(found) && Object.keys(found).length > 0) return symbolRules(found);
    } catch (error) {
      if (!(error instanceof BridgeError) || error.code !== 'object_not_found') throw error;
    }
    throw new BridgeError('invalid_field', {
      detail: `symbol: the account's group has no ${symbol}.`,
      field: 'symbol',
      expected: 'a symbol of the account, see GET /v1/symbols',
    });
  }

  /** @throws BridgeError `object_not_found` */
  async group(login: number, context: ReadContext): Promise<string> {
    const { reply } = await this.#broker.reference('logins', 'user/group', [['login', String(login)]], context);
    const value = payload(reply.body);
    const group = isWireObject(value) ? new Fields(value).text('Group') : undefined;
    if (group === undefined) throw new BridgeError('broker_malformed', 'user/group: the answer has no Group.');
    return group;
  }

  /** Whether accounts of the group hold several positions of one symbol (MT5 `MarginMode` 2). */
  async isHedging(group: string, context: ReadContext): Promise<boolean> {
    const { reply } = await this.#broker.reference('groups', 'group/get', [['group', group]], context);
    const object = payload(reply.body);
    const found = Array.isArray(object) ? object[0] : object;
    return isWireObject(found) && new Fields(found).integer('MarginMode') === MARGIN_MODE_HEDGED;
  }

  /** @throws BridgeError `invalid_field` */
  requireGroup(group: string, context: ReadContext): Promise<void> {
    return requireGroup(this.#broker, group, 'group', context);
  }

  user(login: number, context: ReadContext): Promise<WireObject> {
    return this.#broker.object('user/get', [['login', String(login)]], context);
  }

  /** The record as text and as it was sent, for writing it back. @throws BridgeError `object_not_found` */
  async userToWrite(
    login: number,
    context: ReadContext,
  ): Promise<{ user: WireObject; asSent: Readonly<Record<string, unknown>> }> {
    const query = [['login', String(login)]] as const;
    const reply = await this.#broker.read('user/get', query, context);
    return { user: onlyObject(reply, 'user/get', query), asSent: objectAsSent(decoder.decode(reply.bytes)) };
  }

  /** As many as one answer holds (mt5-webapi §1.7: 5000); `whole` tells whether that is all. */
  async usersOfGroup(group: string, context: ReadContext): Promise<{ users: readonly WireObject[]; whole: boolean }> {
    const accepted = [RETCODE.ERR_NOTFOUND, RETCODE.ERR_PARTIAL];
    const { retcode, body } = await this.#broker.read('user/get_batch', [['group', group]], context, accepted);
    return {
      users: retcode === RETCODE.ERR_NOTFOUND ? [] : payloadObjects(body),
      whole: retcode !== RETCODE.ERR_PARTIAL,
    };
  }

  // ── Single objects ────────────────────────────────────────────────────────────────────────────────────────────────

  openOrder(ticket: string, context: ReadContext): Promise<WireObject> {
    return this.#broker.object('order/get', [['ticket', ticket]], context);
  }

  historyOrder(ticket: string, context: ReadContext): Promise<WireObject> {
    return this.#broker.object('history/get', [['ticket', ticket]], context);
  }

  dealOf(ticket: string, context: ReadContext): Promise<WireObject> {
    return this.#broker.object('deal/get', [['ticket', ticket]], context);
  }

  /** A position by ticket alone. @throws BridgeError `object_not_found` */
  async position(ticket: string, context: ReadContext): Promise<WireObject> {
    const rows = await this.#broker.list('position/get_batch', [['ticket', ticket]], context);
    const found = rows.find((row) => new Fields(row).text('Position') === ticket);
    if (found) return found;
    throw new BridgeError('object_not_found', { detail: `There is no open position ${ticket}.`, field: 'ticket' });
  }

  /** The same, `undefined` where it is not there. @throws BridgeError for anything else */
  async optional(read: Promise<WireObject>): Promise<WireObject | undefined> {
    try {
      return await read;
    } catch (error) {
      if (error instanceof BridgeError && error.code === 'object_not_found') return undefined;
      throw error;
    }
  }

  // ── Lists of a login ──────────────────────────────────────────────────────────────────────────────────────────────

  openOrders(login: number, context: ReadContext): Promise<readonly WireObject[]> {
    return this.#broker.list('order/get_batch', [['login', String(login)]], context);
  }

  positions(login: number, context: ReadContext): Promise<readonly WireObject[]> {
    return this.#broker.list('position/get_batch', [['login', String(login)]], context);
  }

  /** @throws BridgeError `broker_conflict` where something is open */
  async requireFlat(login: number, context: ReadContext): Promise<void> {
    const [positions, orders] = await Promise.all([this.positions(login, context), this.openOrders(login, context)]);
    if (positions.length + orders.length === 0) return;
    throw new BridgeError('broker_conflict', {
      detail: `Account ${login} has ${positions.length} open positions and ${orders.length} open orders; nothing was changed.`,
      outcome: 'not_sent',
    });
  }

  historyOrders(login: number, sinceMs: number, context: ReadContext): Promise<readonly WireObject[]> {
    return this.#since('history/get_batch', login, sinceMs, context);
  }

  deals(login: number, sinceMs: number, context: ReadContext): Promise<readonly WireObject[]> {
    return this.#since('deal/get_batch', login, sinceMs, context);
  }

  /** Deals since then and open orders of many logins, as far as one answer each holds them. */
  async since(logins: readonly number[], sinceMs: number, context: ReadContext): Promise<readonly WireObject[]> {
    const clock = await this.clock(context);
    const found: WireObject[] = [];
    for (let at = 0; at < logins.length; at += LOGINS_AT_ONCE) {
      const login = ['login', logins.slice(at, at + LOGINS_AT_ONCE).join(',')] as const;
      const span = [
        ['from', String(Math.floor(clock.toServerMs(sinceMs) / 1000))],
        ['to', String(Math.ceil(clock.toServerMs(this.#now()) / 1000) + 60)],
      ] as const;
      for (const [path, query] of [
        ['deal/get_batch', [login, ...span]],
        ['order/get_batch', [login]],
      ] as const) {
        const { retcode, body } = await this.#broker.read(path, query, context, [
          RETCODE.ERR_NOTFOUND,
          RETCODE.ERR_PARTIAL,
        ]);
        if (retcode !== RETCODE.ERR_NOTFOUND) found.push(...payloadObjects(body));
      }
    }
    return found;
  }

  /** Wide first, since a clock may be wrong; where that is more than one answer holds, by the broker's clock. */
  async #since(path: string, login: number, sinceMs: number, context: ReadContext): Promise<readonly WireObject[]> {
    const query = (fromMs: number, toMs: number, marginSeconds: number): readonly (readonly [string, string])[] => [
      ['login', String(login)],
      ['from', String(Math.floor(fromMs / 1000) - marginSeconds)],
      ['to', String(Math.ceil(toMs / 1000) + marginSeconds)],
    ];
    const nowMs = this.#now();
    const wide = await this.#broker.read(path, query(sinceMs, nowMs, ZONE_SPAN_SECONDS), context, [
      RETCODE.ERR_NOTFOUND,
      RETCODE.ERR_PARTIAL,
    ]);
    if (wide.retcode === RETCODE.ERR_NOTFOUND) return [];
    if (wide.retcode !== RETCODE.ERR_PARTIAL) return payloadObjects(wide.body);
    const clock = await this.clock(context);
    return this.#broker.list(path, query(clock.toServerMs(sinceMs), clock.toServerMs(nowMs), 60), context);
  }

  // ── Decoding ──────────────────────────────────────────────────────────────────────────────────────────────────────

  async asOrder(object: WireObject | undefined, context: ReadContext): Promise<ObjectOf<typeof order> | null> {
    return object ? decodeObject(order, object, await this.clock(context)) : null;
  }

  async asDeals(objects: readonly WireObject[], context: ReadContext): Promise<readonly ObjectOf<typeof deal>[]> {
    if (objects.length === 0) return [];
    const clock = await this.clock(context);
    return objects.map((object) => decodeObject(deal, object, clock));
  }

  async asUser(object: WireObject, context: ReadContext): Promise<ObjectOf<typeof user>> {
    return decodeObject(user, object, await this.clock(context));
  }

  async asPosition(object: WireObject | undefined, context: ReadContext): Promise<ObjectOf<typeof position> | null> {
    return object ? decodeObject(position, object, await this.clock(context)) : null;
  }
}

/** The tag of an operation in a row's comment, where there is one. */
export const tagOf = (object: WireObject): string => tagIn(new Fields(object).text('Comment') ?? '');
