import type { Query } from './broker.ts';

/** More accounts than a page of them asks for. */
const MOST_OF_A_PAGE = 100;
/** What these tell of an account stands, and is told whole; of deals and past orders there is a window. */
const STATES: ReadonlySet<string> = new Set([
  'user/get_batch',
  'user/account/get_batch',
  'position/get_batch',
  'order/get_batch',
]);
/** Of a whole group these are long as well. */
const OF_GROUPS: ReadonlySet<string> = new Set([...STATES, 'user/logins', 'deal/get_batch', 'history/get_batch']);

const isMany = (logins: string): boolean => logins.split(',').length > MOST_OF_A_PAGE;

/** A question about a group or hundreds of accounts: its answer may have megabytes, and keeps a session so long. */
export const isBulk = (path: string, query: Query): boolean =>
  query.some(([name, value]) =>
    name === 'group' ? OF_GROUPS.has(path) : name === 'login' && STATES.has(path) && isMany(value),
  );
