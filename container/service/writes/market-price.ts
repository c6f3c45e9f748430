import { BridgeError, type ProblemQuote } from '../../contract/errors.ts';
import type { Reply } from '../../session/upstream.ts';
import { scaledDecimal } from '../../webapi/decimal.ts';
import { Fields, payloadObjects, type WireObject } from '../../webapi/fields.ts';
import { rfc3339 } from '../../webapi/time.ts';
import type { ClockSource } from '../broker/broker-clock.ts';
import { isLacking, type Broker, type Query, type ReadContext } from '../broker/broker.ts';
import { isInSession } from '../broker/session-hours.ts';
import { replyError } from '../broker/upstream-errors.ts';
import type { DealerRead } from './dealer-desk.ts';
import { bodyOf } from './settlement.ts';
import { exactPrice, type Side, type SymbolRules } from './symbol-rules.ts';

/** What a market order names as `PriceOrder`: the quote, or 0 (mt5-webapi §3.7: what servers take is not documented). */
export type MarketOrderPrice = 'quote' | 'none';

/** TA_FLAG_MARKET: at the market price (mt5-webapi §3.10 EnTradeActionFlags). */
const FLAG_MARKET = 2;
/** Where the symbol tells no `QuotesTimeout`, a tick inside trading hours is a price for so long. */
const USUAL_QUOTES_TIMEOUT_MS = 60_000;

/** How a trade is priced. */
export interface Pricing {
  readonly group: string;
  readonly side: Side;
  readonly rules: SymbolRules;
  /** TA_FLAG_… beside the market's own. */
  readonly flags: number;
  /** Points. */
  readonly bound?: { readonly expectedPrice: string; readonly maxDeviation: number };
  /** The price of a correction: no quote is asked for. */
  readonly dealerPrice?: string;
}

/** What the caller says of the price. @throws BridgeError `invalid_field` for a price that the symbol cannot have */
export function pricingOf(
  at: Pick<Pricing, 'group' | 'side' | 'rules' | 'flags'>,
  body: {
    readonly expectedPrice?: string | undefined;
    readonly maxDeviation?: number | undefined;
    readonly dealerPrice?: string | undefined;
  },
): Pricing {
  const { expectedPrice, maxDeviation = 0, dealerPrice } = body;
  return {
    ...at,
    ...(expectedPrice === undefined
      ? {}
      : { bound: { expectedPrice: exactPrice(at.rules, 'expectedPrice', expectedPrice), maxDeviation } }),
    ...(dealerPrice === undefined ? {} : { dealerPrice: exactPrice(at.rules, 'dealerPrice', dealerPrice) }),
  };
}

export interface PriceFields {
  readonly PriceOrder: string;
  readonly Flags: string;
}

/**
 * `PriceOrder` and `Flags` of a trade that is about to be sent. The server executes at the price that a dealer names
 * (mt5-webapi §3.7), so it is the group's quote, read now.
 * @throws BridgeError `data_not_ready` no quote, or one too old · `price_moved` outside the caller's bound
 */
export async function priceFields(
  pricing: Pricing,
  read: DealerRead,
  at: ClockAt & { readonly name: MarketOrderPrice },
): Promise<PriceFields> {
  const { dealerPrice, flags, bound, side } = pricing;
  if (dealerPrice !== undefined) return { PriceOrder: dealerPrice, Flags: String(flags) };
  const atMarket = { PriceOrder: '0', Flags: String(flags | FLAG_MARKET) };
  if (at.name === 'none' && !bound) return atMarket;
  const quote = await readQuote(pricing, read, at);
  await requireFresh(quote, pricing, at);
  if (bound) requireWithin(quote, pricing, bound);
  return at.name === 'none' ? atMarket : { ...atMarket, PriceOrder: side === 'buy' ? quote.ask : quote.bid };
}

type ClockAt = { readonly broker: Broker; readonly clock: ClockSource; readonly context: ReadContext };

interface Quote extends ProblemQuote {
  readonly serverMs: number;
}

async function readQuote({ group, rules }: Pricing, read: DealerRead, at: ClockAt): Promise<Quote> {
  const { symbol } = rules;
  const query = [
    ['symbol', symbol],
    ['group', group],
    ['trans_id', '0'],
  ] as const;
  const fields = payloadObjects(await groupTicks(query, read, at))
    .map((row) => new Fields(row))
    .find((row) => row.text('Symbol') === symbol);
  const bid = fields?.text('Bid');
  const ask = fields?.text('Ask');
  const serverMs = fields?.integer('DatetimeMsc') ?? (fields?.integer('Datetime') ?? 0) * 1000;
  if (!isPrice(bid) || !isPrice(ask)) throw new BridgeError('data_not_ready', `There is no price of ${symbol} yet.`);
  const atMs = (await at.clock.get(at.context)).toUtcMs(serverMs);
  return { bid, ask, at: rfc3339(atMs), atMs, serverMs };
}

/** On the dealer's connection; where this build has no such command, by the way round it (broker/older-builds.ts). */
async function groupTicks(query: Query, read: DealerRead, { broker, context }: ClockAt): Promise<WireObject> {
  const path = 'tick/last_group';
  if (!broker.lacks(path)) {
    const reply: Reply = await read({ path, query });
    const error = replyError(reply, { path });
    if (!error) return bodyOf(reply);
    if (!isLacking(error)) throw error;
  }
  return (await broker.read(path, query, context)).body;
}

const isPrice = (text: string | undefined): text is string => text !== undefined && /[1-9]/.test(text);

const asProblem = ({ bid, ask, at, atMs }: Quote): ProblemQuote => ({ bid, ask, at, atMs });

/** A broker's clock that was moved makes a fresh tick look old: before a trade is refused for it, it is asked again. */
async function requireFresh(quote: Quote, { rules }: Pricing, { clock, context }: ClockAt): Promise<void> {
  const tooOld = ageError(quote, rules, await clock.serverNowMs(context));
  if (!tooOld) return;
  const surely = ageError(quote, rules, await clock.serverNowMs(context, true));
  if (surely) throw surely;
}

function ageError(quote: Quote, rules: SymbolRules, serverNowMs: number): BridgeError | undefined {
  const { quotesTimeoutMs, tradingHours, symbol } = rules;
  const isTrading = tradingHours === undefined || isInSession(tradingHours, serverNowMs);
  const limitMs = quotesTimeoutMs > 0 ? quotesTimeoutMs : isTrading ? USUAL_QUOTES_TIMEOUT_MS : Infinity;
  const ageMs = serverNowMs - quote.serverMs;
  if (ageMs <= limitMs) return undefined;
  return new BridgeError('data_not_ready', {
    detail: `The last tick of ${symbol} is ${Math.round(ageMs / 1000)} s old; it is a price for ${limitMs / 1000} s.`,
    quote: asProblem(quote),
  });
}

function requireWithin(quote: Quote, { side, rules }: Pricing, bound: NonNullable<Pricing['bound']>): void {
  const price = side === 'buy' ? quote.ask : quote.bid;
  const points = (text: string): bigint => scaledDecimal(text, rules.digits) ?? 0n;
  const moved = points(price) - points(bound.expectedPrice);
  const distance = moved < 0n ? -moved : moved;
  if (distance <= BigInt(bound.maxDeviation)) return;
  throw new BridgeError('price_moved', {
    detail: `The market is at ${price}, ${distance} points from ${bound.expectedPrice}; ${bound.maxDeviation} are allowed.`,
    field: 'expectedPrice',
    expected: `a price within ${bound.maxDeviation} points of ${price}`,
    quote: asProblem(quote),
  });
}
