import { decimalsAsNumbers } from '../../container/contract/decimals.ts';
import { BridgeError } from '../../container/contract/errors.ts';
import { type Caller, keySelf } from '../../container/contract/keys.ts';
import type { AnyRoute, RouteInput } from '../../container/contract/route.ts';
import { STATE_ANSWERS } from '../../container/state/state-answers.ts';
import type { PlainInput, Told } from '../holder/bridge-container.ts';
import type { Door } from './door.ts';

/** The answer of a route that needs no container, or that is about the container itself; `undefined` = forward it. */
export async function doorAnswers(
  route: AnyRoute,
  input: RouteInput<AnyRoute>,
  caller: Caller,
  door: Door,
): Promise<Response | undefined> {
  if (Object.hasOwn(STATE_ANSWERS, route.id)) {
    const text = untold(await door.bridge.answer(route.id, input as PlainInput, caller));
    const convert = input.decimals === 'number' ? decimalsAsNumbers(route.answer) : null;
    return convert ? json(convert(JSON.parse(text))) : jsonText(text);
  }
  switch (route.id) {
    case 'getKeySelf':
      return json(keySelf(caller));
    case 'getStatus':
      return json(await door.bridge.status());
    case 'adminWarm': {
      const { container, session } = untold(await door.bridge.warm('admin'));
      return json({ container: container.state, session: session.state });
    }
    case 'adminSleep': {
      const { container, session } = await door.bridge.sleep();
      return json({ container: container.state, session: session.state });
    }
    default:
      return undefined;
  }
}

export const json = (body: unknown, status = 200): Response => jsonText(JSON.stringify(body), status);

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
