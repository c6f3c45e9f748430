import type { WireObject } from '../../webapi/fields.ts';

/** What the feeds need of the broker: judged reads (`service/broker.ts`). */
export interface BrokerReads {
  /** @throws BridgeError for every retcode but 0 and those in `accept` */
  read(
    path: string,
    query: readonly (readonly [name: string, value: string])[],
    context: { readonly deadlineAtMs: number; readonly signal: AbortSignal },
    accept?: readonly number[],
  ): Promise<{ readonly retcode: number; readonly body: WireObject }>;
}

/** MT5 `13 Not found`: also what an empty list may be (mt5-webapi §3.6). */
const NOT_FOUND = 13;
/** MT5 `14`: more than 5,000 objects; what came is used. */
const PARTIAL = 14;
/** Longest a poll is waited for. */
const READ_DEADLINE_MS = 10_000;

/**
 * Requests that streaming may send: a token bucket, so that following many logins cannot starve the API calls that
 * share the sessions.
 */
export class BudgetedReads {
  requests = 0;
  readonly #reads: BrokerReads;
  readonly #now: () => number;
  readonly #perSecond: number;
  readonly #signal: AbortSignal;
  #tokens: number;
  #filledAtMs: number;

  constructor(options: { reads: BrokerReads; now: () => number; perSecond: number; signal: AbortSignal }) {
    this.#reads = options.reads;
    this.#now = options.now;
    this.#perSecond = options.perSecond;
    this.#signal = options.signal;
    this.#tokens = options.perSecond;
    this.#filledAtMs = options.now();
  }

  /** The body of a good or empty answer; `undefined` = nothing found. @throws BridgeError */
  async read(path: string, query: readonly (readonly [string, string])[]): Promise<WireObject | undefined> {
    await this.#take();
    this.requests++;
    const context = { deadlineAtMs: this.#now() + READ_DEADLINE_MS, signal: this.#signal };
    const { retcode, body } = await this.#reads.read(path, query, context, [NOT_FOUND, PARTIAL]);
    return retcode === NOT_FOUND ? undefined : body;
  }

  async #take(): Promise<void> {
    const now = this.#now();
    this.#tokens = Math.min(this.#perSecond, this.#tokens + ((now - this.#filledAtMs) / 1000) * this.#perSecond);
    this.#filledAtMs = now;
    this.#tokens -= 1;
    // A debt is waited off; those who come later wait longer, so the rate holds whoever asks.
    if (this.#tokens >= 0) return;
    await new Promise((resolve) => setTimeout(resolve, Math.ceil((-this.#tokens / this.#perSecond) * 1000)));
  }
}

/** Splits names so that each list, joined by commas, is at most `maxCharacters` long and `maxCount` names. */
export function commaLists(names: Iterable<string>, maxCharacters: number, maxCount = Infinity): string[][] {
  const lists: string[][] = [];
  let list: string[] = [];
  let length = 0;
  for (const name of names) {
    if (list.length > 0 && (length + 1 + name.length > maxCharacters || list.length >= maxCount)) {
      lists.push(list);
      list = [];
      length = 0;
    }
    length += name.length + (list.length > 0 ? 1 : 0);
    list.push(name);
  }
  if (list.length > 0) lists.push(list);
  return lists;
}
