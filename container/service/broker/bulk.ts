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

/** A question about a group or hundreds of accounts: its answer may have megabytes, and keeps a session so long. */
export const isBulk = (path: string, query: Query): boolean =>
  STATES.has(path) &&
  query.some(([name, value]) => name === 'group' || (name === 'login' && value.split(',').length > MOST_OF_A_PAGE));
