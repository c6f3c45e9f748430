import { BridgeError } from '../../contract/errors.ts';
import { requireLogin } from '../../contract/keys.ts';
import { Fields, wireInteger, type WireObject } from '../../webapi/fields.ts';
import type { RouteContext } from '../handler.ts';
import { requireSymbol } from './limits.ts';
import type { Side, SymbolRules } from './symbol-rules.ts';

/** Orders and positions as they stand, for trades that change or end them. */

export interface Held {
  readonly object: WireObject;
  readonly fields: Fields;
  readonly login: number;
  readonly symbol: string;
}

/** An order or position that the caller may touch. @throws BridgeError `login_not_allowed` · `limit_exceeded` */
export function held(object: WireObject, { caller }: RouteContext): Held {
  const fields = new Fields(object);
  const login = fields.integer('Login');
  const symbol = fields.text('Symbol');
  if (login === undefined || symbol === undefined)
    throw new BridgeError('broker_malformed', 'The broker sent an object without Login or Symbol.');
  requireLogin(caller, login);
  requireSymbol(caller, symbol);
  return { object, fields, login, symbol };
}

/** The server takes a whole order: what is not changed is sent as it is. */
export function orderFields(
  ticket: string,
  login: number,
  symbol: string,
  rules: SymbolRules,
  fields: Fields,
): Readonly<Record<string, string>> {
  const kept = (name: string): string => fields.text(name) ?? '0';
  return {
    Order: ticket,
    Login: String(login),
    Symbol: symbol,
    Digits: String(rules.digits),
    Type: kept('Type'),
    TypeFill: kept('TypeFill'),
    TypeTime: kept('TypeTime'),
    TimeExpiration: kept('TimeExpiration'),
    Volume: kept('VolumeCurrent'),
    VolumeExt: kept('VolumeCurrentExt'),
    PriceOrder: kept('PriceOrder'),
    PriceTrigger: kept('PriceTrigger'),
    PriceSL: kept('PriceSL'),
    PriceTP: kept('PriceTP'),
  };
}

export const sideOf = (order: Fields): Side => ((wireInteger(order.text('Type')) ?? 0) % 2 === 0 ? 'buy' : 'sell');
export const sideOfPosition = (position: Fields): Side => (wireInteger(position.text('Action')) === 0 ? 'buy' : 'sell');
export const pick = (object: WireObject, names: readonly string[]): Record<string, string> => {
  const fields = new Fields(object);
  return Object.fromEntries(names.map((name) => [name, fields.text(name) ?? '']));
};
