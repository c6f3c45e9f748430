import { BridgeError } from '../../contract/errors.ts';
import { RETCODE } from '../../webapi/retcodes.ts';
import { loginAllowed } from '../../contract/keys.ts';
import type { Caller } from '../../contract/keys.ts';
import { payload, wireInteger } from '../../webapi/fields.ts';
import type { Broker, ReadContext } from './broker.ts';
import { groupNames } from './groups.ts';

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

/**
 * Ascending. A part (14) would look like all: then each group is asked for by itself.
 * @throws BridgeError `invalid_field` where the broker does not list all of one group
 */
export async function loginsOfMask(broker: Broker, group: string, context: ReadContext): Promise<readonly number[]> {
  const accept = [RETCODE.ERR_NOTFOUND, RETCODE.ERR_PARTIAL];
  const { reply } = await broker.reference('logins', 'user/logins', [['group', group]], context, accept);
  if (reply.retcode === RETCODE.ERR_NOTFOUND) return [];
  if (reply.retcode === RETCODE.ERR_PARTIAL) {
    const groups = await groupNames(broker, group, context);
    if (!groups || groups.length === 0 || groups.includes(group)) throw new BridgeError('invalid_field', tooWide);
    const logins: (readonly number[])[] = [];
    for (const name of groups) logins.push(await loginsOfMask(broker, name, context));
    return ascending(logins.flat());
  }
  const value = payload(reply.body);
  const logins = (Array.isArray(value) ? value : []).flatMap((item) => {
    const login = typeof item === 'string' ? wireInteger(item) : undefined;
    return login === undefined ? [] : [login];
  });
  return ascending(logins);
}

/** Servers tell them in order: then there is nothing to sort, of tens of thousands. */
const ascending = (logins: readonly number[]): readonly number[] =>
  logins.every((login, at) => at === 0 || login > (logins[at - 1] ?? login))
    ? logins
    : [...new Set(logins)].sort((a, b) => a - b);

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
