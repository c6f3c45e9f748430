import { group, type AccountTerms } from '../../contract/schemas/account.ts';
import { Fields, payloadObjects } from '../../webapi/fields.ts';
import type { BrokerClock } from '../../webapi/time.ts';
import { isMissing, type Broker, type BrokerReply, type Query, type ReadContext } from './broker.ts';
import { decodeObject } from './decode.ts';
import { BridgeError } from '../../contract/errors.ts';
import { RETCODE } from '../../webapi/retcodes.ts';

/** More groups than these are asked for by one mask. */
const ONE_BY_ONE = 8;
/** MT5 `MarginMode` `RETAIL_HEDGED`: an account holds several positions of one symbol. */
const HEDGED = 'retail_hedged';

/** Of a group that this manager may not see. */
const UNKNOWN: AccountTerms = {
  currency: null,
  positionMode: null,
  marginMode: null,
  marginModeCode: null,
  marginCall: null,
  marginStopOut: null,
  stopOutMode: null,
  stopOutModeCode: null,
};

export type TermsOf = (groupName: string) => AccountTerms;

/** What accounts have from their groups, kept as long as the groups are. */
export class GroupTerms {
  readonly #broker: Broker;
  /** By the reply that they were decoded from: the cache of the broker says how long it is true. */
  readonly #decoded = new WeakMap<BrokerReply, ReadonlyMap<string, AccountTerms>>();

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** @throws BridgeError */
  async of(names: Iterable<string>, clock: BrokerClock, context: ReadContext): Promise<TermsOf> {
    const wanted = [...new Set(names)];
    const all = wanted.length > ONE_BY_ONE ? await this.#ask([['mask', '*']], clock, context) : undefined;
    if (all) return (name) => all.get(name) ?? UNKNOWN;
    const found = new Map<string, AccountTerms>();
    for (let at = 0; at < wanted.length; at += ONE_BY_ONE) {
      const some = wanted.slice(at, at + ONE_BY_ONE).map((name) => this.#ask([['group', name]], clock, context));
      for (const terms of await Promise.all(some)) for (const [name, one] of terms ?? []) found.set(name, one);
    }
    return (name) => found.get(name) ?? UNKNOWN;
  }

  /** `undefined` where this manager may not see them, or there are more than one answer holds. */
  async #ask(
    query: Query,
    clock: BrokerClock,
    context: ReadContext,
  ): Promise<ReadonlyMap<string, AccountTerms> | undefined> {
    try {
      const accepted = [RETCODE.ERR_PARTIAL];
      const { reply } = await this.#broker.reference('groups', 'group/get', query, context, accepted);
      return reply.retcode === RETCODE.ERR_PARTIAL ? undefined : this.#termsIn(reply, clock);
    } catch (error) {
      if (isMissing(error) || (error instanceof BridgeError && error.code === 'object_not_found')) return undefined;
      throw error;
    }
  }

  #termsIn(reply: BrokerReply, clock: BrokerClock): ReadonlyMap<string, AccountTerms> {
    const known = this.#decoded.get(reply);
    if (known) return known;
    const terms = new Map(
      payloadObjects(reply.body).flatMap((wire) => {
        if (new Fields(wire).text('Group') === undefined) return [];
        const decoded = decodeObject(group, wire, clock);
        const { currency, marginMode, marginModeCode, marginCall, marginStopOut, stopOutMode, stopOutModeCode } =
          decoded;
        const positionMode =
          marginMode === null ? null : marginMode === HEDGED ? ('hedging' as const) : ('netting' as const);
        return [
          [
            decoded.group,
            {
              currency,
              positionMode,
              marginMode,
              marginModeCode,
              marginCall,
              marginStopOut,
              stopOutMode,
              stopOutModeCode,
            },
          ] as const,
        ];
      }),
    );
    this.#decoded.set(reply, terms);
    return terms;
  }
}
