/** Orders, deals and positions as the wire has them: numbers become strings in the codec, decimals already are. */
import { decimal, EXT_PER_VOLUME } from '../broker/money.ts';
import { ENTRY, sideOf, type Deal, type Order, type Position } from '../broker/records.ts';
import type { World } from '../broker/world.ts';
import { convert, profitRaw } from '../broker/valuation.ts';
import type { Json } from '../command.ts';
import type { Switches } from '../switches.ts';
import { spelling, Texts } from './texts.ts';

const seconds = (ms: number): number => Math.floor(ms / 1000);

/** `Volume` beside `VolumeExt`: 1/10,000 lot and 1e-8 lot. */
export function bothVolumes(name: string, ext: number): Record<string, number> {
  return { [name]: Math.trunc(ext / EXT_PER_VOLUME), [`${name}Ext`]: ext };
}

/** The one cell that is shown of the 16 of ApiData; empty unless a plug-in wrote something. */
export function apiData(switches: Readonly<Switches>): readonly object[] {
  return [{ AppID: 0, ID: 0, ValueInt: 0, [switches.apiDataUnsigned]: 0, ValueDouble: '0.00000000' }];
}

const dealTexts = new Texts<Deal>();
const historyTexts = new Texts<Order>();

/** Closed records change only by an administrator's hand, which forgets their texts. */
export function dealText(deal: Deal, world: World, switches: Readonly<Switches>): Json {
  return dealTexts.of(deal, spelling(switches), () => renderDeal(deal, world, switches));
}

export function historyText(order: Order, world: World, switches: Readonly<Switches>): Json {
  return historyTexts.of(order, spelling(switches), () => renderOrder(order, world, switches));
}

export function forgetText(row: object): void {
  dealTexts.forget(row as Deal);
  historyTexts.forget(row as Order);
}

export function renderOrder(order: Order, world: World, switches: Readonly<Switches>): object {
  const price = (value: number): string => decimal(value, order.digits);
  const quote = order.timeDoneMsc === 0 ? world.market.quote(order.symbol) : undefined;
  const current = quote === undefined ? order.priceCurrent : sideOf(order.type) === 0 ? quote.ask : quote.bid;
  return {
    Order: order.ticket,
    ExternalID: order.externalId,
    Login: order.login,
    Dealer: order.dealer,
    Symbol: order.symbol,
    Digits: order.digits,
    DigitsCurrency: order.currencyDigits,
    ContractSize: decimal(order.contractSize, 2),
    State: order.state,
    Reason: order.reason,
    TimeSetup: seconds(order.timeSetupMsc),
    TimeExpiration: order.timeExpiration,
    TimeDone: seconds(order.timeDoneMsc),
    TimeSetupMsc: order.timeSetupMsc,
    TimeDoneMsc: order.timeDoneMsc,
    [switches.modifyFlags]: order.modifyFlags,
    Type: order.type,
    TypeFill: order.typeFill,
    TypeTime: order.typeTime,
    PriceOrder: price(order.price),
    PriceTrigger: price(order.priceTrigger),
    PriceCurrent: price(current),
    PriceSL: price(order.sl),
    PriceTP: price(order.tp),
    ...bothVolumes('VolumeInitial', order.volumeInitial),
    ...bothVolumes('VolumeCurrent', order.volumeCurrent),
    ExpertID: order.expertId,
    PositionID: order.positionId,
    PositionByID: order.positionById,
    Comment: order.comment,
    ActivationMode: order.activationMode,
    ActivationTime: order.activationTime,
    ActivationPrice: price(order.activationPrice),
    ActivationFlags: order.activationFlags,
    // Of newer builds (mt5-webapi §8, 23): when it was first placed.
    OrigTimeSetup: seconds(order.timeSetupMsc),
    RateMargin: '0.00000000',
    ApiData: apiData(switches),
  };
}

export function renderDeal(deal: Deal, _world: World, switches: Readonly<Switches>): object {
  const price = (value: number): string => decimal(value, deal.digits);
  const money = (value: number): string => decimal(value, deal.currencyDigits);
  const trade = deal.symbol !== '';
  return {
    Deal: deal.ticket,
    ExternalID: deal.externalId,
    Login: deal.login,
    Dealer: deal.dealer,
    Order: deal.order,
    Action: deal.action,
    Entry: deal.entry,
    Reason: deal.reason,
    Digits: deal.digits,
    DigitsCurrency: deal.currencyDigits,
    ContractSize: decimal(deal.contractSize, 2),
    Time: seconds(deal.timeMsc),
    TimeMsc: deal.timeMsc,
    Symbol: deal.symbol,
    Price: price(deal.price),
    PriceSL: price(deal.sl),
    PriceTP: price(deal.tp),
    ...bothVolumes('Volume', deal.volume),
    Profit: money(deal.profit),
    Value: money(0),
    Storage: money(deal.storage),
    Commission: money(deal.commission),
    Fee: money(0),
    RateProfit: decimal(deal.rateProfit, 8),
    RateMargin: decimal(deal.rateMargin, 8),
    ExpertID: deal.expertId,
    PositionID: deal.positionId,
    Comment: deal.comment,
    ProfitRaw: decimal(trade ? deal.profitRaw : deal.profit, deal.profitDigits),
    PricePosition: price(deal.entry === ENTRY.in ? 0 : deal.pricePosition),
    ...bothVolumes('VolumeClosed', deal.volumeClosed),
    TickValue: '0.00000000',
    TickSize: '0.00000000',
    Flags: 0,
    Gateway: '',
    PriceGateway: price(0),
    MarketBid: price(deal.marketBid),
    MarketAsk: price(deal.marketAsk),
    MarketLast: price(0),
    [switches.modifyFlags]: deal.modifyFlags,
    ApiData: apiData(switches),
  };
}

export function renderPosition(position: Position, world: World, switches: Readonly<Switches>): object {
  const price = (value: number): string => decimal(value, position.digits);
  const { books, accounts } = world;
  const user = books.users.get(position.login);
  const symbol = books.symbol(position.symbol);
  const group = user === undefined ? undefined : books.groupOf(user);
  const current = group === undefined ? position.priceOpen : accounts.currentPrice(group, position);
  const rateProfit = group === undefined ? 0 : accounts.rateProfit(group, symbol, position.action);
  const raw = profitRaw(symbol, position.action, position.volume, position.priceOpen, current);
  return {
    Position: position.ticket,
    ExternalID: position.externalId,
    Login: position.login,
    Dealer: position.dealer,
    Symbol: position.symbol,
    Action: position.action,
    Digits: position.digits,
    DigitsCurrency: position.currencyDigits,
    Reason: position.reason,
    ContractSize: decimal(position.contractSize, 2),
    TimeCreate: seconds(position.timeCreateMsc),
    TimeUpdate: seconds(position.timeUpdateMsc),
    TimeCreateMsc: position.timeCreateMsc,
    TimeUpdateMsc: position.timeUpdateMsc,
    [switches.modifyFlags]: position.modifyFlags,
    PriceOpen: price(position.priceOpen),
    PriceCurrent: price(current),
    PriceSL: price(position.sl),
    PriceTP: price(position.tp),
    ...bothVolumes('Volume', position.volume),
    Profit: decimal(convert(raw, symbol.profitDigits, position.currencyDigits, rateProfit), position.currencyDigits),
    Storage: decimal(position.storage, position.currencyDigits),
    RateProfit: decimal(rateProfit, 8),
    RateMargin: decimal(position.rateMargin, 8),
    ExpertID: position.expertId,
    ExpertPositionID: 0,
    Comment: position.comment,
    ActivationMode: position.activationMode,
    ActivationTime: position.activationTime,
    ActivationPrice: price(position.activationPrice),
    ActivationFlags: position.activationFlags,
    OrigTimeCreate: seconds(position.timeCreateMsc),
    OrigTimeUpdate: seconds(position.timeUpdateMsc),
    ApiData: apiData(switches),
  };
}
