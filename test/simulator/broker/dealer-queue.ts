/**
 * The queue of dealer requests. A request is queued, then processed; its results wait for the connection that asked:
 * until the final one was delivered, for three minutes without polling, or until the connection closes. What was
 * queued is still carried out.
 */
import { carryOut, type Outcome } from './dealer-desk.ts';
import type { TradeRequest } from './trade-request.ts';
import { TRADE } from './trade-retcodes.ts';
import type { World } from './world.ts';

/** Results of a request that may wait to be asked for, per connection. */
export const MOST_OUTSTANDING = 128;
/** Results that nobody asks for are forgotten after this time. */
export const UNPOLLED_MS = 180_000;

/** What the desk answers next in place of carrying out: by name, or any return code. */
const DEALER_ANSWERS = {
  requote: TRADE.requote,
  reject: TRADE.reject,
  timeout: TRADE.timeout,
  'price-changed': TRADE.priceChanged,
  'prices-off': TRADE.noPrices,
} as const;

type DealerAnswer = keyof typeof DEALER_ANSWERS | 'partial' | 'hang' | number;

interface DealerSettings {
  /** Real time between a request and its final result. */
  delayMs: number;
  /** Share of the volume that a `partial` answer fills. */
  partialPercent: number;
  /** Answers of the next requests, first to last. */
  next: DealerAnswer[];
}

/** `result` events are intermediate confirmations, `answer` is final. */
export interface DealerEvent {
  readonly kind: 'result' | 'answer';
  readonly outcome: Outcome;
}

export interface QueuedRequest {
  readonly id: number;
  /** Undefined once the connection has closed: then nobody can ask for the results. */
  connectionId: number | undefined;
  readonly request: TradeRequest;
  readonly events: DealerEvent[];
  state: 'queued' | 'accepted' | 'final';
  readonly acceptAtMs: number;
  readonly dueAtMs: number;
  polledAtMs: number;
  readonly answer: DealerAnswer | undefined;
}

interface DealerQueueOptions {
  readonly world: () => World;
  /** Real time. */
  readonly nowMs: () => number;
  readonly serverMs: () => number;
  /** A request has changed the books. */
  readonly mutated: () => void;
}

export class DealerQueue {
  readonly settings: DealerSettings = { delayMs: 0, partialPercent: 50, next: [] };
  readonly #options: DealerQueueOptions;
  readonly #requests = new Map<number, QueuedRequest>();
  #lastId = 13_000;

  constructor(options: DealerQueueOptions) {
    this.#options = options;
  }

  /** Queues a request; its id, or the code that refuses it. */
  send(connectionId: number, request: TradeRequest): { readonly id: number } | { readonly retcode: number } {
    const nowMs = this.#options.nowMs();
    if (this.outstanding(connectionId) >= MOST_OUTSTANDING) return { retcode: TRADE.tooMany };
    this.#lastId += 1;
    const queued: QueuedRequest = {
      id: this.#lastId,
      connectionId,
      request,
      events: [],
      state: 'queued',
      acceptAtMs: nowMs + this.settings.delayMs / 2,
      dueAtMs: nowMs + this.settings.delayMs,
      polledAtMs: nowMs,
      answer: this.settings.next.shift(),
    };
    this.#requests.set(queued.id, queued);
    this.turn();
    return { id: queued.id };
  }

  outstanding(connectionId: number): number {
    let count = 0;
    for (const request of this.#requests.values()) if (request.connectionId === connectionId) count += 1;
    return count;
  }

  /** Events so far of the requests asked for, all of the connection's without a list; final ones are forgotten with this. */
  poll(connectionId: number, ids: readonly number[] | undefined): ReadonlyMap<QueuedRequest, readonly DealerEvent[]> {
    this.turn();
    const found = new Map<QueuedRequest, readonly DealerEvent[]>();
    const nowMs = this.#options.nowMs();
    const asked = ids === undefined ? [...this.#requests.values()] : ids.map((id) => this.#requests.get(id));
    for (const request of asked) {
      if (request?.connectionId !== connectionId) continue;
      request.polledAtMs = nowMs;
      found.set(request, [...request.events]);
      if (request.state === 'final') this.#requests.delete(request.id);
    }
    return found;
  }

  connectionLost(connectionId: number): void {
    for (const request of this.#requests.values()) {
      if (request.connectionId !== connectionId) continue;
      request.connectionId = undefined;
      if (request.state === 'final') this.#requests.delete(request.id);
    }
  }

  /** Accepts, carries out and forgets what is due. */
  turn(): void {
    if (this.#requests.size === 0) return;
    const nowMs = this.#options.nowMs();
    for (const request of this.#requests.values()) {
      if (request.answer !== 'hang') this.#advance(request, nowMs);
      if (nowMs - request.polledAtMs >= UNPOLLED_MS && (request.state === 'final' || request.answer === 'hang')) {
        this.#requests.delete(request.id);
      }
    }
  }

  #advance(request: QueuedRequest, nowMs: number): void {
    if (request.state === 'queued' && nowMs >= request.acceptAtMs && nowMs < request.dueAtMs) {
      request.state = 'accepted';
      request.events.push({ kind: 'result', outcome: { retcode: TRADE.accepted } });
    }
    if (request.state === 'final' || nowMs < request.dueAtMs) return;
    request.state = 'final';
    const outcome = this.#carryOut(request);
    request.events.push({ kind: 'result', outcome }, { kind: 'answer', outcome });
    if (request.connectionId === undefined) this.#requests.delete(request.id);
  }

  #carryOut({ request, answer }: QueuedRequest): Outcome {
    const world = this.#options.world();
    const nowMs = this.#options.serverMs();
    const retcode =
      typeof answer === 'number'
        ? answer
        : answer === undefined || answer === 'partial' || answer === 'hang'
          ? undefined
          : DEALER_ANSWERS[answer];
    if (retcode !== undefined) {
      const quote = world.market.quote(request.symbol);
      if (quote === undefined) return { retcode };
      const price = request.type % 2 === 0 ? quote.ask : quote.bid;
      return { retcode, price, market: { bid: quote.bid, ask: quote.ask }, digits: quote.symbol.digits };
    }
    const outcome = carryOut(world, request, nowMs, answer === 'partial' ? this.settings.partialPercent : 100);
    if (outcome.retcode === TRADE.done || outcome.retcode === TRADE.donePartial) this.#options.mutated();
    return outcome;
  }

  /** `{delayMs?, partialPercent?, next?}`; what is wrong with it, or undefined. */
  change(input: unknown): string | undefined {
    if (typeof input !== 'object' || input === null) return 'expected an object {delayMs, partialPercent, next}';
    const { delayMs, partialPercent, next } = input as Record<string, unknown>;
    if (delayMs !== undefined && !(typeof delayMs === 'number' && delayMs >= 0 && delayMs <= 600_000)) {
      return 'delayMs: expected a number from 0 to 600000';
    }
    if (
      partialPercent !== undefined &&
      !(typeof partialPercent === 'number' && partialPercent > 0 && partialPercent < 100)
    ) {
      return 'partialPercent: expected a number between 0 and 100';
    }
    const answers = next === undefined ? undefined : Array.isArray(next) ? (next as readonly unknown[]) : [next];
    if (answers?.some((answer) => !isAnswer(answer)) === true) {
      return `next: expected a list of ${[...Object.keys(DEALER_ANSWERS), 'partial', 'hang'].join(', ')} or return codes`;
    }
    if (typeof delayMs === 'number') this.settings.delayMs = delayMs;
    if (typeof partialPercent === 'number') this.settings.partialPercent = partialPercent;
    if (answers !== undefined) this.settings.next = answers.filter(isAnswer);
    return undefined;
  }
}

function isAnswer(value: unknown): value is DealerAnswer {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value > 0;
  return value === 'partial' || value === 'hang' || (typeof value === 'string' && Object.hasOwn(DEALER_ANSWERS, value));
}
