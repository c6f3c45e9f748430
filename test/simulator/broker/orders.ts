/** New orders. */
import type { Group } from './groups.ts';
import { ORDER_STATE, REASON, type Order } from './records.ts';
import type { SymbolSpec } from './symbols.ts';

type Required = Pick<Order, 'ticket' | 'login' | 'type' | 'timeSetupMsc'>;

export function newOrder(symbol: SymbolSpec, group: Group, volume: number, fields: Required & Partial<Order>): Order {
  return {
    externalId: '',
    dealer: 0,
    symbol: symbol.name,
    digits: symbol.digits,
    currencyDigits: group.currencyDigits,
    contractSize: symbol.contractSize,
    state: ORDER_STATE.started,
    reason: REASON.client,
    timeExpiration: 0,
    timeDoneMsc: 0,
    modifyFlags: 0,
    typeFill: 0,
    typeTime: 0,
    price: 0,
    priceTrigger: 0,
    priceCurrent: 0,
    sl: 0,
    tp: 0,
    volumeInitial: volume,
    volumeCurrent: volume,
    expertId: 0,
    positionId: 0,
    positionById: 0,
    comment: '',
    activationMode: 0,
    activationTime: 0,
    activationPrice: 0,
    activationFlags: 0,
    ...fields,
  };
}
