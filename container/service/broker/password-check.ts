import type { Upstream } from '../../session/upstream.ts';
import { RETCODE } from '../../webapi/retcodes.ts';
import type { ReadContext } from './broker.ts';
import { replyError, toBridgeError } from './upstream-errors.ts';

/** Whoever guesses is not told that there is no such account. */
const WRONG: ReadonlySet<number> = new Set([RETCODE.USR_INVALID_PASSWORD, RETCODE.ERR_NOTFOUND]);

/** Asks the server; the password travels in the body. @throws BridgeError where it cannot be asked */
export async function isPasswordRight(
  upstream: Upstream,
  account: { login: number; type: 'main' | 'investor' | 'api'; password: string },
  context: ReadContext,
): Promise<boolean> {
  const { login, type, password } = account;
  const body = JSON.stringify({ Login: String(login), Type: type, Password: password });
  let reply;
  try {
    reply = await upstream.read({ path: 'user/check_password', body }, context);
  } catch (error) {
    throw toBridgeError(error);
  }
  if (reply.retcode !== undefined && WRONG.has(reply.retcode)) return false;
  const error = replyError(reply);
  if (error) throw error;
  return true;
}
