import { findCommand, requireCommand } from '../../container/contract/commands.ts';
import { BridgeError } from '../../container/contract/errors.ts';
import { requireMaskedCommand } from '../../container/contract/passthrough-logins.ts';
import { readBody } from './body.ts';
import type { Door } from './door.ts';
import { forward } from './forward.ts';

/**
 * `/api/*`: the MT5 Web API itself. The path must be a command of the contract's table, letter by letter, and the key
 * must have its scope; the bytes then go through untouched. The container asks the same questions again.
 */
export async function passthroughRoute(request: Request, door: Door): Promise<Response> {
  const command = findCommand(rawPathname(request.url));
  if (request.method !== 'GET' && request.method !== 'POST')
    throw new BridgeError('method_not_allowed', { detail: 'Commands take GET and POST.', expected: 'GET, POST' });
  const caller = await door.admit(request.headers);
  requireCommand(command, caller);
  const body = request.body === null ? undefined : await readBody(request);
  if (caller.logins)
    requireMaskedCommand(command, caller.logins, door.url.search.slice(1), body && new TextDecoder().decode(body));
  const isRead = !command.mutation;
  return forward(request, door, body === undefined ? { caller, isRead } : { caller, isRead, body });
}

/** As it came: `URL` has already resolved what dots it could; percent signs stay. */
const rawPathname = (url: string): string => new URL(url).pathname;
