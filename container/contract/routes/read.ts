import { z } from 'zod';
import { pageTable } from '../tables.ts';
import { defineRoute, noParams } from '../route.ts';
import type { RouteDefinition } from '../route.ts';
import {
  cursorIn,
  groupMaskIn,
  IN_ORDER,
  inOrder,
  instantIn,
  limitIn,
  loginIn,
  loginsIn,
  symbolMaskIn,
} from '../schemas/values.ts';

/** What the reads have in common. */

export const page = (
  fallback = 100,
  most = 1000,
): { cursor: z.ZodOptional<typeof cursorIn>; limit: ReturnType<typeof limitIn> } => ({
  cursor: cursorIn.optional(),
  limit: limitIn(fallback, most),
});

export const window = { from: instantIn.optional(), to: instantIn.optional() };
export const symbolFilter = { symbol: symbolMaskIn.optional() };
export const loginParams = z.strictObject({ login: loginIn });

/** Many accounts at once: named, or of a group mask. */
export const who = { logins: loginsIn.optional(), group: groupMaskIn.optional() };
const oneOfWho = (query: { logins?: unknown; group?: unknown }): boolean =>
  (query.logins === undefined) !== (query.group === undefined);
const ONE_OF_WHO = { error: 'expected either "logins" or "group"', path: ['logins'] };

/** Said of routes with `lines`. */
export const LINES =
  'With `Accept: application/x-ndjson` everything, unpaged, one object a line as it is read, in no order; the last line is ' +
  '`{"end":true,"items":…,"readAt":…,"readAtMs":…}`, or `{"end":false,"items":…,"problem":{…}}`. A list without its last line was cut.';

export const windowed = <Shape extends z.core.$ZodShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> =>
  z.strictObject(shape).refine((query) => inOrder(query as { from?: number; to?: number }), IN_ORDER);

export const ofMany = <Shape extends z.core.$ZodShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> =>
  windowed(shape).refine(oneOfWho, ONE_OF_WHO);

type Read<P extends z.ZodType, Q extends z.ZodType, A extends z.ZodType, Id extends string> = Omit<
  RouteDefinition<P, Q, z.ZodType, A, Id>,
  'method' | 'scope' | 'write' | 'status' | 'body' | 'logins' | 'table'
>;

/** A GET that needs the scope `read`. */
export const defineRead = <P extends z.ZodType, Q extends z.ZodType, A extends z.ZodType, Id extends string>(
  read: Read<P, Q, A, Id> & Pick<RouteDefinition<P, Q, z.ZodType, A, Id>, 'logins'>,
): RouteDefinition<P, Q, z.ZodType, A, Id> => {
  // What is cached is cached as JSON.
  const table = read.cacheable === undefined ? pageTable(read.answer) : undefined;
  return defineRoute({ ...read, ...(table ? { table } : {}), method: 'GET', scope: 'read', write: false, status: 200 });
};

/** A GET about one login, which the door checks against the key. */
export const defineLoginRead = <Q extends z.ZodType, A extends z.ZodType, Id extends string>(
  read: Omit<Read<typeof loginParams, Q, A, Id>, 'params'>,
): RouteDefinition<typeof loginParams, Q, z.ZodType, A, Id> =>
  defineRead({ ...read, params: loginParams, logins: ({ params }) => [params.login] });

/** A GET about many logins: those that are named, the door checks against the key; of a mask, the key's own are shown. */
export const defineManyRead = <
  Q extends z.ZodType<{ logins?: readonly number[] | undefined }>,
  A extends z.ZodType,
  Id extends string,
>(
  read: Omit<Read<typeof noParams, Q, A, Id>, 'params'>,
): RouteDefinition<typeof noParams, Q, z.ZodType, A, Id> =>
  defineRead({ ...read, params: noParams, logins: ({ query }) => query.logins ?? [] });
