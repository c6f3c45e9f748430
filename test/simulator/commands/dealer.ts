/** Dealer requests: queue one, ask for results. */
import type { DealerEvent, QueuedRequest } from '../broker/dealer-queue.ts';
import type { Outcome } from '../broker/dealer-desk.ts';
import { decimal } from '../broker/money.ts';
import { parseTradeRequest, REQUEST_FLAG, type TradeRequest } from '../broker/trade-request.ts';
import { refused, type Command, type CommandReply, type CommandRequest } from '../command.ts';
import { retcodeText } from '../retcodes.ts';
import type { Switches } from '../switches.ts';
import { flatRecord } from './records-in.ts';
import { bothVolumes } from './render-trades.ts';
import { isRefusal, numbersOf, RETCODE, userOf } from './scope.ts';

function send(request: CommandRequest): CommandReply {
  const fields = flatRecord(request.body);
  const parsed = fields === undefined ? undefined : parseTradeRequest(fields, request.manager.login);
  if (parsed === undefined) return refused(RETCODE.params);
  const user = userOf(request, parsed.login);
  if (isRefusal(user)) return user;
  const taken =
    request.switches.marketFlag === 'market' ? parsed : { ...parsed, flags: parsed.flags & ~REQUEST_FLAG.market };
  const sent = request.broker.world.dealers.send(request.connectionId, taken);
  return 'retcode' in sent ? refused(sent.retcode) : { retcode: 0, scalars: { ID: sent.id } };
}

function results(request: CommandRequest): CommandReply {
  const list = request.parameters.text('id', 'ID');
  const ids = list === undefined || list === '' ? undefined : numbersOf(list);
  if (list !== undefined && list !== '' && ids === undefined) return refused(RETCODE.params);
  const found = request.broker.world.dealers.poll(request.connectionId, ids);
  const { switches } = request;
  if (ids !== undefined && found.size === 0 && switches.unknownResultIds === '13') return refused(RETCODE.notFound);
  const byId: Record<string, unknown> = {};
  for (const [queued, events] of found)
    byId[String(queued.id)] = events.map((event) => renderEvent(queued, event, switches));
  const place = switches.resultIds;
  return {
    retcode: 0,
    ...(place === 'answer' ? {} : { top: byId }),
    ...(place === 'top' ? {} : { answer: byId }),
  };
}

const renderEvent = (queued: QueuedRequest, { kind, outcome }: DealerEvent, switches: Readonly<Switches>): object =>
  kind === 'result'
    ? { result: confirmOf(queued, outcome, switches) }
    : { answer: answerOf(queued, outcome, switches) };

const pricesOf = (outcome: Outcome): { price: string; bid: string; ask: string; zero: string } => {
  const digits = outcome.digits ?? 5;
  return {
    price: decimal(outcome.price ?? 0, digits),
    bid: decimal(outcome.market?.bid ?? 0, digits),
    ask: decimal(outcome.market?.ask ?? 0, digits),
    zero: decimal(0, digits),
  };
};

function confirmOf(queued: QueuedRequest, outcome: Outcome, switches: Readonly<Switches>): object {
  const { price, bid, ask, zero } = pricesOf(outcome);
  return {
    ID: queued.id,
    Retcode: retcodeText(outcome.retcode, switches),
    ...bothVolumes('Volume', outcome.volume ?? 0),
    Price: price,
    TickBid: bid,
    TickAsk: ask,
    TickLast: zero,
    Comment: '',
    Flags: 0,
    DealID: outcome.deal ?? 0,
    OrderID: outcome.order ?? 0,
    PositionExternalID: '',
    PriceGateway: zero,
    ExternalRetcode: '',
  };
}

/** Text fields of a request that are only repeated. */
const REPEATED = [
  'ExternalAccount',
  'OrderExternalID',
  'PositionExternalID',
  'PositionByExternalID',
  'ResultComment',
] as const;

function answerOf(queued: QueuedRequest, outcome: Outcome, switches: Readonly<Switches>): object {
  const { request } = queued;
  const { price, bid, ask, zero } = pricesOf(outcome);
  const asked = (name: string): string => request.fields[name] ?? zero;
  return {
    ID: queued.id,
    Login: request.login,
    Symbol: request.symbol,
    Digits: request.digits ?? outcome.digits ?? 0,
    Action: request.action,
    TimeExpiration: request.timeExpiration,
    Type: request.type,
    TypeFill: request.typeFill,
    TypeTime: request.typeTime,
    Flags: request.flags,
    ...bothVolumes('Volume', request.volume),
    Order: request.order,
    PriceOrder: asked('PriceOrder'),
    PriceTrigger: asked('PriceTrigger'),
    PriceSL: asked('PriceSL'),
    PriceTP: asked('PriceTP'),
    PriceDeviation: request.fields['PriceDeviation'] ?? '0',
    PriceDeviationTop: '0',
    PriceDeviationBottom: '0',
    SpreadDiff: 0,
    SpreadDiffBalance: 0,
    Comment: request.comment,
    ...Object.fromEntries(REPEATED.map((name) => [name, request.fields[name] ?? ''])),
    ResultRetcode: retcodeText(outcome.retcode, switches),
    ResultDealer: request.dealer,
    ResultDeal: outcome.deal ?? 0,
    ResultOrder: outcome.order ?? 0,
    ...bothVolumes('ResultVolume', outcome.volume ?? 0),
    ResultPrice: price,
    ResultDealerBid: bid,
    ResultDealerAsk: ask,
    ResultDealerLast: zero,
    ResultMarketBid: bid,
    ResultMarketAsk: ask,
    ResultMarketLast: zero,
    IDClient: idOf(request, 'IDClient'),
    IP: request.fields['IP'] ?? '',
    SourceLogin: request.dealer,
    Position: request.position,
    PositionBy: request.positionBy,
  };
}

const idOf = (request: TradeRequest, name: string): string => request.fields[name] ?? '0';

export const dealerCommands: readonly Command[] = [
  { path: 'dealer/send_request', rights: ['RIGHT_TRADES_DEALER'], run: send, mutates: true },
  { path: 'dealer/get_request_result', rights: ['RIGHT_TRADES_DEALER'], run: results },
];
