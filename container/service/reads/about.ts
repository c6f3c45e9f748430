import type { AnswerOf } from '../../contract/route.ts';
import type { getServer } from '../../contract/routes/server.ts';
import type { Caller } from '../../contract/keys.ts';
import { Fields, isWireObject, payload } from '../../webapi/fields.ts';
import { rfc3339 } from '../../webapi/time.ts';
import type { ClockSource } from '../broker/broker-clock.ts';
import type { Broker, ReadContext } from '../broker/broker.ts';

/** What the bridge says of the server behind it. */

const LIMITS = ['LimitTradeServers', 'LimitWebServers', 'LimitAccounts', 'LimitDeals', 'LimitSymbols', 'LimitGroups'];
const TOTALS = ['TotalUsers', 'TotalUsersReal', 'TotalDeals', 'TotalOrders', 'TotalOrdersHistory', 'TotalPositions'];

/** `LimitAccounts` → `accounts`. */
const shortName = (name: string): string => {
  const bare = name.replace(/^(Limit|Total)/, '');
  return bare.charAt(0).toLowerCase() + bare.slice(1);
};

export class About {
  readonly #broker: Broker;
  readonly #clock: ClockSource;
  readonly #serverBuild: () => Promise<string | null>;

  constructor(broker: Broker, clock: ClockSource, serverBuild: () => Promise<string | null>) {
    this.#broker = broker;
    this.#clock = clock;
    this.#serverBuild = serverBuild;
  }

  async server(
    context: ReadContext & { readonly caller: Caller },
  ): Promise<{ value: AnswerOf<typeof getServer>; freshForMs: number }> {
    const [{ reply, freshForMs }, reading, build] = await Promise.all([
      this.#broker.reference('server', 'common/get', [], context),
      this.#clock.read(context),
      this.#serverBuild(),
    ]);
    const answer = payload(reply.body);
    const fields = new Fields(isWireObject(answer) ? answer : {});
    const integers = (names: readonly string[]): Record<string, number | null> =>
      Object.fromEntries(names.map((name) => [shortName(name), fields.integer(name) ?? null]));
    const { clock, measuredOffsetMs, readAtMs } = reading;
    const offsetMs = clock.offsetMs(readAtMs);
    return {
      freshForMs,
      value: {
        name: fields.text('NameFull', 'Name') ?? null,
        owner: fields.text('Owner') ?? null,
        product: fields.text('Product') ?? null,
        build,
        clock: {
          serverTime: rfc3339(readAtMs + offsetMs).slice(0, 19),
          utcAt: rfc3339(readAtMs),
          utcAtMs: readAtMs,
          utcOffsetSeconds: offsetMs / 1000,
          zoneMinutes: clock.settings.zoneMinutes,
          daylight: clock.settings.daylight,
          measuredOffsetMs,
        },
        limits: integers(LIMITS),
        totals: context.caller.logins ? {} : integers(TOTALS),
      },
    };
  }
}
