import { Fields, payloadObjects, type WireObject } from '../../webapi/fields.ts';
import { RETCODE } from '../../webapi/retcodes.ts';
import type { ClockSource } from './broker-clock.ts';
import { isMissing, type Broker, type ReadContext } from './broker.ts';

/** An account without positions is asked for again after so long, or as soon as a deal of it is seen. */
const FLAT_FOR_MS = 60_000;
const ACCOUNTS_REMEMBERED = 500_000;
/** Fewer are asked for themselves rather than for their deals. */
const WORTH_A_QUESTION = 400;
/** Clocks of bridge and broker differ by less, as measured (broker-clock.ts); a deal told twice does no harm. */
const OVERLAP_MS = 10_000;

const DEALS = 'deal/get_batch';

/** Which accounts had no position when they were asked last. Nine of ten have none, and no position comes without a deal. */
export class FlatAccounts {
  readonly #broker: Broker;
  readonly #clock: ClockSource;
  readonly #now: () => number;
  /** Login → when it was asked. */
  readonly #flatAtMs = new Map<number, number>();

  constructor(broker: Broker, clock: ClockSource, now: () => number) {
    this.#broker = broker;
    this.#clock = clock;
    this.#now = now;
  }

  /** Those of the mask that may have positions. @throws BridgeError */
  async without(logins: readonly number[], mask: string, context: ReadContext): Promise<readonly number[]> {
    const since = this.#now() - FLAT_FOR_MS;
    const flat = new Map(
      logins.flatMap((login) => {
        const atMs = this.#flatAtMs.get(login) ?? 0;
        return atMs > since ? [[login, atMs] as const] : [];
      }),
    );
    if (flat.size < WORTH_A_QUESTION) return logins;
    const oldestMs = [...flat.values()].reduce((oldest, atMs) => Math.min(oldest, atMs));
    const dealt = await this.#dealtSince(oldestMs, mask, context);
    return dealt ? logins.filter((login) => !flat.has(login) || dealt.has(login)) : logins;
  }

  /** Passes parts on, and notes which of the logins had nothing in any of them. */
  async *noting<Part extends readonly (readonly WireObject[])[]>(
    logins: readonly number[],
    parts: AsyncIterable<Part>,
  ): AsyncGenerator<Part, void, undefined> {
    const askedAtMs = this.#now();
    const exposed = new Set<number>();
    for await (const part of parts) {
      for (const row of part.flat()) exposed.add(new Fields(row).integer('Login') ?? 0);
      yield part;
    }
    if (this.#flatAtMs.size > ACCOUNTS_REMEMBERED) this.#flatAtMs.clear();
    for (const login of logins) {
      if (exposed.has(login)) this.#flatAtMs.delete(login);
      else this.#flatAtMs.set(login, askedAtMs);
    }
  }

  /** `undefined` = more than one answer holds, or this server does not tell it so. */
  async #dealtSince(sinceMs: number, mask: string, context: ReadContext): Promise<ReadonlySet<number> | undefined> {
    if (this.#broker.lacks(DEALS) || this.#broker.groupForms.get(DEALS) === 'lacking') return undefined;
    const clock = await this.#clock.get(context);
    const query = [
      ['group', mask],
      ['from', String(Math.floor(clock.toServerMs(sinceMs - OVERLAP_MS) / 1000))],
      ['to', String(Math.ceil(clock.toServerMs(this.#now() + OVERLAP_MS) / 1000))],
    ] as const;
    const accepted = [RETCODE.ERR_NOTFOUND, RETCODE.ERR_PARTIAL, RETCODE.ERR_PARAMS, RETCODE.ERR_FREQUENT];
    try {
      const { retcode, body } = await this.#broker.direct(DEALS, query, context, accepted);
      if (retcode === RETCODE.ERR_PARAMS) this.#broker.groupForms.set(DEALS, 'lacking');
      if (retcode === RETCODE.ERR_NOTFOUND) return new Set();
      if (retcode !== RETCODE.OK) return undefined;
      return new Set(payloadObjects(body).map((row) => new Fields(row).integer('Login') ?? 0));
    } catch (error) {
      // Nor where this manager may see no deals.
      if (isMissing(error)) return undefined;
      throw error;
    }
  }
}
