import { BridgeError } from '../container/contract/errors.ts';
import type { Caller } from '../container/contract/keys.ts';
import type { AnyRoute, RouteInput } from '../container/contract/route.ts';
import { STATE_ANSWERED, type StateInput } from '../container/state/state-answers.ts';
import type { Told } from './bridge-container.ts';
import type { Door } from './door.ts';

/** The answer of a route that needs no container, or that is about the container itself; `undefined` = forward it. */
export async function doorAnswers(
  route: AnyRoute,
  input: RouteInput<AnyRoute>,
  caller: Caller,
  door: Door,
): Promise<Response | undefined> {
  if (STATE_ANSWERED.has(route.id)) {
    const { params, query } = input as StateInput;
    return jsonText(untold(await door.bridge.answer(route.id, { params, query }, caller)));
  }
  switch (route.id) {
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
