import { decimalsAsNumbers } from '../../container/contract/decimals.ts';
import type { Admitted } from '../../container/contract/admission.ts';
import type { Actor } from '../../container/contract/events.ts';
import { type Caller, keySelf } from '../../container/contract/keys.ts';
import type { AnswerOf, AnyRoute } from '../../container/contract/route.ts';
import type { adminOrigins, adminPolicy, adminSleep, adminWarm } from '../../container/contract/routes/admin.ts';
import type {
  BrokerItem,
  getKeySelf,
  getStatus,
  listBrokers,
  StatusAnswer,
} from '../../container/contract/routes/server.ts';
import { METRICS_TYPE } from '../../container/contract/metrics/catalog.ts';
import type { Holiday, Market } from '../../container/contract/trading-calendar.ts';
import { brokerPath } from '../../container/contract/brokers.ts';
import { besideAudit } from '../../container/contract/verdict.ts';
import { isOutboxRoute } from '../../container/outbox/outbox-answers.ts';
import { isStateRoute } from '../../container/state/state-answers.ts';
import { type PlainInput, untold } from '../told.ts';
import { outboxLines } from './outbox-lines.ts';
import type { Door } from './door.ts';

/** The answer of a route that needs no container, or that is about the container itself; `undefined` = forward it. */
export async function doorAnswers(
  { route, input, caller, takesWhole, form }: Admitted,
  door: Door,
): Promise<Response | undefined> {
  const by: Actor = { caller: caller.id, requestId: door.requestId, address: door.address };
  if (isOutboxRoute(route.id)) {
    if (takesWhole) return outboxLines({ route: { ...route, id: route.id }, input, by, door, form });
    return jsonText(
      untold(await door.outbox.answer(route.id, input as PlainInput, { ...by, host: door.url.hostname })),
      route.status,
    );
  }
  if (isStateRoute(route.id)) {
    const object = route.everyBroker ? door.keeper : door.bridge;
    const text = untold(await object.answer(route.id, input as PlainInput, caller, by));
    const convert = input.decimals === 'number' ? decimalsAsNumbers(route.answer) : null;
    return jsonText(convert ? JSON.stringify(convert(JSON.parse(text))) : text, route.status);
  }
  switch (route.id) {
    case 'getKeySelf':
      return answered<typeof getKeySelf>(keySelf(caller));
    case 'listBrokers':
      return answered<typeof listBrokers>({ items: await brokerItems(door, caller), nextCursor: null });
    case 'getStatus':
      return answered<typeof getStatus>(await statusOf(door));
    case 'getMetrics':
      return new Response(await door.bridge.metrics(await door.outbox.figures().catch(() => undefined)), {
        headers: { 'content-type': METRICS_TYPE, 'cache-control': 'no-store' },
      });
    case 'adminPolicy': {
      const { symbols, calendar, usualHours, missed, ...view } = await door.bridge.policy();
      const at = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
      return answered<typeof adminPolicy>({
        ...view,
        symbols: symbols === null ? null : [...symbols],
        calendar: calendar && { ...calendar, markets: calendar.markets.map(marketView) },
        usualHours: [...usualHours],
        missed: missed.map((one) => ({ ...one, due: new Date(one.dueMs).toISOString() })),
        until: at(view.untilMs),
        wakesAt: at(view.wakesAtMs),
      });
    }
    case 'adminOrigins': {
      const { origins, ...view } = await door.bridge.origins();
      return answered<typeof adminOrigins>({ ...view, origins: [...origins] });
    }
    case 'adminWarm': {
      const { container, session } = untold(await door.bridge.warm('admin', undefined, by));
      return answered<typeof adminWarm>({ container: container.state, session: session.state });
    }
    case 'adminSleep': {
      const { container, session } = await door.bridge.sleep(by);
      return answered<typeof adminSleep>({ container: container.state, session: session.state });
    }
    default:
      return undefined;
  }
}

/** RPC forgets that a pair has two. */
interface MarketTold extends Omit<Market, 'hours' | 'holidays'> {
  readonly hours: readonly (readonly number[])[];
  readonly holidays: readonly (Omit<Holiday, 'open'> & { readonly open: readonly number[] | null })[];
}

const marketView = ({ symbols, hours, holidays }: MarketTold) => ({
  symbols: [...symbols],
  hours: hours.map((one) => [...one]),
  holidays: holidays.map(({ open, ...day }) => ({ ...day, open: open && [...open] })),
});

/** What the outbox does not tell leaves the rest as it is. */
async function statusOf({ bridge, outbox }: Door): Promise<StatusAnswer> {
  const unknown = { pending: 0, oldestAtMs: null, fault: 'The outbox’s Durable Object does not tell.' };
  const [status, audit] = await Promise.all([bridge.status(), outbox.backlog().catch(() => unknown)]);
  return { ...status, ...besideAudit(status, audit), audit };
}

/** A Durable Object that does not tell its state within this time does not keep the others' from being told. */
const STATUS_TIMEOUT_MS = 2_000;

function brokerItems(door: Door, { brokers: allowed }: Caller): Promise<BrokerItem[]> {
  const told = door.config.brokers
    .filter(({ id }) => !allowed || allowed.includes(id))
    .map(async (broker): Promise<BrokerItem> => {
      const { id, region = null } = broker;
      const common = { id, path: brokerPath(id), region };
      const asked = door.bridgeOf(broker).status();
      const status = await Promise.race([asked, scheduler.wait(STATUS_TIMEOUT_MS)]).catch(() => undefined);
      if (!status) {
        const reason = 'Its Durable Object does not tell its state.';
        return { ...common, ready: false, reason, session: null, container: null };
      }
      const { ready, reason, session, container } = status;
      return { ...common, ready, reason, session: session.state, container: container.state };
    });
  return Promise.all(told);
}

/** Held against the route's schema by the compiler. */
export const answered = <R extends AnyRoute>(body: AnswerOf<R>, status = 200): Response =>
  jsonText(JSON.stringify(body), status);

export const jsonText = (text: string, status = 200): Response =>
  new Response(text, {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
  });
