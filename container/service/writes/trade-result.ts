import { BridgeError } from '../../contract/errors.ts';
import type { AnswerOf } from '../../contract/route.ts';
import type { placeOrder } from '../../contract/routes/trading.ts';
import { formatScaled } from '../../webapi/decimal.ts';
import { Fields, type WireObject } from '../../webapi/fields.ts';
import { RETCODE, retcodeOf } from '../../webapi/retcodes.ts';
import { lotsFromVolume } from '../../webapi/volume.ts';
import type { ReadContext } from '../broker/broker.ts';
import type { TradeBooks } from './books.ts';
import { DealerRefusal } from './dealer-desk.ts';
import type { DealerResult } from './dealer-results.ts';
import { done, settledBy, settledReply, type Settlement } from './settlement.ts';

/** What a trade answers beside its operation. */
export type Traded = Omit<AnswerOf<typeof placeOrder>, 'operation'>;

/** Reading the order and deals back must not hold up an answer that is known. */
export const READ_BACK_MS = 3000;

const EXECUTED: Readonly<Record<number, string>> = {
  [RETCODE.REQUEST_PLACED]: 'placed',
  [RETCODE.REQUEST_DONE]: 'executed',
  [RETCODE.REQUEST_DONE_PARTIAL]: 'executed partially',
  [RETCODE.REQUEST_DONE_CANCEL]: 'executed partially, the rest was cancelled',
};

const price = (fields: Fields, ...names: string[]): string | null => {
  const text = fields.text(...names);
  return text !== undefined && /[1-9]/.test(text) ? text : null;
};

/** The dealer's decision as a settlement; `body` is read once it was executed. */
export async function settleTrade(
  result: DealerResult,
  order: { what: string; status: number; volume?: bigint },
  body: (answer: Fields) => Promise<Traded>,
): Promise<Settlement<Traded>> {
  const fields = new Fields(result.answer);
  const executed = EXECUTED[result.retcode];
  if (executed === undefined) return withPrices(settledBy(result.retcode, result.text, order.what), fields);
  const volume = lotsFromVolume(fields.text('ResultVolume'), fields.text('ResultVolumeExt')) ?? null;
  const asked = order.volume === undefined ? null : formatScaled(order.volume, 8, 2);
  const parts =
    asked !== null && volume !== null && executed.includes('partially') ? `: ${volume} of ${asked} lots` : '';
  const words = fields.text('ResultComment');
  return done(order.status, {
    ...(await body(fields)),
    result: {
      retcode: result.retcode,
      retcodeName: retcodeOf(result.retcode).name,
      detail: `${executed}${parts}`,
      volume,
      price: price(fields, 'ResultPrice'),
      bid: price(fields, 'ResultDealerBid', 'ResultMarketBid'),
      ask: price(fields, 'ResultDealerAsk', 'ResultMarketAsk'),
      comment: words === undefined || words === '' ? null : words,
      ...ticketsOf(fields),
    },
  });
}

/** What the dealer's answer names; a trade at once has a deal, a pending order none. */
function ticketsOf(answer: Fields): { readonly order: string | null; readonly deal: string | null } {
  const ticket = (name: string): string | null => {
    const text = answer.text(name);
    return text !== undefined && /^[1-9]\d*$/.test(text) ? text : null;
  };
  return { order: ticket('ResultOrder') ?? ticket('Order'), deal: ticket('ResultDeal') };
}

/** A requote names the prices that would do now. */
function withPrices(settlement: Settlement<never>, fields: Fields): Settlement<never> {
  if (settlement.state !== 'refused') return settlement;
  const bid = price(fields, 'ResultDealerBid', 'ResultMarketBid');
  const ask = price(fields, 'ResultDealerAsk', 'ResultMarketAsk');
  if (bid === null || ask === null) return settlement;
  const { code, context } = settlement.error;
  return {
    state: 'refused',
    error: new BridgeError(code, { ...context, detail: `${context.detail} Prices now: ${bid} / ${ask}.` }),
  };
}

/** `send_request` itself was refused: nothing is queued, nothing will be executed. */
export function refusedAtDesk(error: unknown, what: string): Settlement<Traded> {
  if (error instanceof DealerRefusal) return settledReply(error.reply, what, () => done(200, {}));
  throw error;
}

/** Order and deals as the books have them now; what cannot be read in time is left out. */
export async function readBack(books: TradeBooks, answer: Fields, nowMs: number): Promise<Traded> {
  const context: ReadContext = { deadlineAtMs: nowMs + READ_BACK_MS, signal: new AbortController().signal };
  const { order: orderTicket, deal: dealTicket } = ticketsOf(answer);
  const quietly = async (read: Promise<WireObject | undefined>): Promise<WireObject | undefined> => {
    try {
      return await read;
    } catch {
      return undefined;
    }
  };
  const findOrder = async (ticket: string): Promise<WireObject | undefined> => {
    const first = dealTicket ? books.historyOrder(ticket, context) : books.openOrder(ticket, context);
    return (
      (await quietly(first)) ??
      quietly(dealTicket ? books.openOrder(ticket, context) : books.historyOrder(ticket, context))
    );
  };
  const [order, deal] = await Promise.all([
    orderTicket === null ? undefined : findOrder(orderTicket),
    dealTicket === null ? undefined : quietly(books.dealOf(dealTicket, context)),
  ]);
  try {
    return { order: await books.asOrder(order, context), deals: await books.asDeals(deal ? [deal] : [], context) };
  } catch {
    return { order: null, deals: [] };
  }
}
