import { BridgeError } from '../../contract/errors.ts';
import { RETCODE } from '../../webapi/retcodes.ts';
import { loginAllowed } from '../../contract/keys.ts';
import type { Caller } from '../../contract/keys.ts';
import { payload, wireInteger } from '../../webapi/fields.ts';
import type { Broker, ReadContext } from './broker.ts';

/** Which logins a query over many is about: named ones, or those of a group mask; only what the key may touch, ascending. */
export interface LoginQuery {
  readonly logins?: readonly number[] | undefined;
  readonly group?: string | undefined;
}

/** @throws BridgeError `invalid_field` where neither or both are given */
export async function resolveLogins(
  broker: Broker,
  query: LoginQuery,
  context: ReadContext & { readonly caller: Caller },
): Promise<readonly number[]> {
  if (query.logins) return [...query.logins].sort((a, b) => a - b);
  if (query.group === undefined) throw new BridgeError('invalid_field', missing);
  const logins = await loginsOfMask(broker, query.group, context);
  return logins.filter((login) => loginAllowed(context.caller.logins, login));
}

/** Ascending. @throws BridgeError `invalid_field` where the broker does not list them all */
export async function loginsOfMask(broker: Broker, group: string, context: ReadContext): Promise<readonly number[]> {
  const accept = [RETCODE.ERR_NOTFOUND, RETCODE.ERR_PARTIAL];
  const { reply } = await broker.reference('logins', 'user/logins', [['group', group]], context, accept);
  if (reply.retcode === RETCODE.ERR_NOTFOUND) return [];
  // A part would look like all.
  if (reply.retcode === RETCODE.ERR_PARTIAL) throw new BridgeError('invalid_field', tooWide);
  const value = payload(reply.body);
  const logins = (Array.isArray(value) ? value : []).flatMap((item) => {
    const login = typeof item === 'string' ? wireInteger(item) : undefined;
    return login === undefined ? [] : [login];
  });
  return [...new Set(logins)].sort((a, b) => a - b);
}

const tooWide = {
  detail: 'query.group: more accounts than the broker lists at once.',
  field: 'query.group',
  expected: 'a narrower mask',
};

const missing = {
  detail: 'query: name the accounts with "logins" or "group".',
  field: 'query.logins',
  expected: '"logins" (comma list) or "group" (mask), one of them',
};
