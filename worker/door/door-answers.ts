import { decimalsAsNumbers } from '../../container/contract/decimals.ts';
import { BridgeError } from '../../container/contract/errors.ts';
import { type Caller, keySelf } from '../../container/contract/keys.ts';
import type { AnswerOf, AnyRoute, RouteInput } from '../../container/contract/route.ts';
import type { adminPolicy, adminSleep, adminWarm } from '../../container/contract/routes/admin.ts';
import type { getKeySelf, getStatus } from '../../container/contract/routes/server.ts';
import { isStateRoute } from '../../container/state/state-answers.ts';
import type { PlainInput, Told } from '../holder/bridge-container.ts';
import type { Door } from './door.ts';

/** The answer of a route that needs no container, or that is about the container itself; `undefined` = forward it. */
export async function doorAnswers(
  route: AnyRoute,
  input: RouteInput<AnyRoute>,
  caller: Caller,
  door: Door,
): Promise<Response | undefined> {
  if (isStateRoute(route.id)) {
    const text = untold(await door.bridge.answer(route.id, input as PlainInput, caller));
    const convert = input.decimals === 'number' ? decimalsAsNumbers(route.answer) : null;
    return jsonText(convert ? JSON.stringify(convert(JSON.parse(text))) : text, route.status);
  }
  switch (route.id) {
    case 'getKeySelf':
      return answered<typeof getKeySelf>(keySelf(caller));
    case 'getStatus':
      return answered<typeof getStatus>(await door.bridge.status());
    case 'adminPolicy': {
      const { symbols, ...view } = await door.bridge.policy();
      const at = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
      return answered<typeof adminPolicy>({
        ...view,
        symbols: symbols === null ? null : [...symbols],
        until: at(view.untilMs),
        wakesAt: at(view.wakesAtMs),
      });
    }
    case 'adminWarm': {
      const { container, session } = untold(await door.bridge.warm('admin'));
      return answered<typeof adminWarm>({ container: container.state, session: session.state });
    }
    case 'adminSleep': {
      const { container, session } = await door.bridge.sleep();
      return answered<typeof adminSleep>({ container: container.state, session: session.state });
    }
    default:
      return undefined;
  }
}

/** Held against the route's schema by the compiler. */
export const answered = <R extends AnyRoute>(body: AnswerOf<R>, status = 200): Response =>
  jsonText(JSON.stringify(body), status);

const jsonText = (text: string, status = 200): Response =>
  new Response(text, {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
  });

/** What an RPC call told, as a value or the error it stands for. */
export function untold<T>(told: Told<T>): T {
  if (told.ok) return told.value;
  throw new BridgeError(told.code, told.context);
}
