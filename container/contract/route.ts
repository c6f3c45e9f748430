import { z } from 'zod';
import { BridgeError } from './errors.ts';
import type { Table } from './lines.ts';
import { type Caller, requireLogin, requireScope, type Scope } from './keys.ts';
import type { ReferenceClass } from './reference-data.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/**
 * One route of the typed API. The same definition is matched and validated at the Worker's door (so that nothing is
 * woken for a bad request), served by the container, and written into the OpenAPI document.
 */
export interface RouteDefinition<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
  Id extends string = string,
> {
  /** OpenAPI operationId, camelCase. */
  readonly id: Id;
  readonly method: Method;
  /** `/v1/accounts/{login}`: each `{name}` is one path segment, and a key of `params`. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** `null` = no key needed. */
  readonly scope: Scope | null;
  /** About the whole broker or the bridge itself: not for keys and sessions that are bound to some logins. */
  readonly wide?: boolean;
  /** About what all brokers share: not for keys that are bound to some brokers. */
  readonly everyBroker?: boolean;
  /** A write goes through the operations ledger and needs `Idempotency-Key`. */
  readonly write: boolean;
  readonly params: Params;
  readonly query: Query;
  /** Absent = the route takes no body. */
  readonly body?: Body;
  /** A request without a body counts as `{}`. */
  readonly bodyOptional?: boolean;
  /** Takes `Accept: application/x-ndjson`: every item of the list as a line, in place of a page. */
  readonly lines?: boolean;
  /** Content type of answers that are text and not JSON; `answer` is a string then. */
  readonly text?: string;
  /** Takes `Accept: text/csv`. */
  readonly table?: Table;
  /** Takes `Accept: text/html`: the answer as a page to print. */
  readonly page?: boolean;
  /** Takes `Prefer: return=minimal`: the answer is then the operation and the dealer's result. */
  readonly brief?: boolean;
  readonly answer: Answer;
  /** Status of the plain success. */
  readonly status: 200 | 201;
  /** Reference data of this class: answers carry `ETag`, `Age`, and `Cache-Control` with the time they stay true, and are
   * kept at the Worker's door. The same for every caller, but that keys bound to some logins may see less. Absent = `no-store`. */
  readonly cacheable?: ReferenceClass;
  /** A list of the past, which mostly stays as it was: answers carry `ETag`, an unchanged one is 304 without a body. It
   * saves the transfer, not the question to the broker. Never beside `cacheable`. */
  readonly conditional?: true;
  /** Reference data that this write may change. Absent = none. */
  readonly changes?: readonly ReferenceClass[];
  /** How many requests it counts as against the rate limit. Absent = one. */
  readonly cost?: (input: { params: z.output<Params>; query: z.output<Query>; body: z.output<Body> }) => number;
  /** The logins a request names, for keys with a login mask. Absent = names none. */
  readonly logins?: (input: {
    params: z.output<Params>;
    query: z.output<Query>;
    body: z.output<Body>;
  }) => readonly number[];
  /** Scopes that what a request asks for needs beside the route's own. Absent = none. */
  readonly scopes?: (input: {
    params: z.output<Params>;
    query: z.output<Query>;
    body: z.output<Body>;
  }) => readonly Scope[];
  /** Executed by a test and printed in the documents. */
  readonly example: {
    readonly params?: Readonly<Record<string, string>>;
    readonly query?: Readonly<Record<string, string>>;
    readonly body?: unknown;
  };
}

/** Gives a definition its exact type. */
export const defineRoute = <
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  A extends z.ZodType,
  Id extends string,
>(
  definition: RouteDefinition<P, Q, B, A, Id>,
): RouteDefinition<P, Q, B, A, Id> => definition;

/** What any list of routes holds. */
// oxlint-disable-next-line typescript/no-explicit-any -- `logins` makes the type invariant; the list reads none of it
export type AnyRoute = RouteDefinition<any, any, any, any>;

/** What a route answers, by its schema. */
export type AnswerOf<Route extends AnyRoute> = DeepReadonly<z.output<Route['answer']>>;

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

export const noParams = z.strictObject({});
export const noQuery = z.strictObject({});

export interface RouteInput<Route extends AnyRoute> {
  readonly params: z.output<Route['params']>;
  readonly query: z.output<Route['query']>;
  readonly body: z.output<Exclude<Route['body'], undefined>>;
  /** How decimals are written in the answer. */
  readonly decimals: DecimalForm;
}

/** `?decimals=`, which every route takes: exact strings, or floats for callers that prefer them. */
export const DECIMAL_FORMS = ['string', 'number'] as const;
export type DecimalForm = (typeof DECIMAL_FORMS)[number];
const decimalFormSchema = z.object({ decimals: z.enum(DECIMAL_FORMS, 'expected "string" or "number"') });

export interface RouteMatch {
  readonly route: AnyRoute;
  readonly params: Readonly<Record<string, string>>;
}

interface CompiledRoute {
  readonly route: AnyRoute;
  readonly pattern: RegExp;
}

/** Matches method and path against a list of routes. */
export class RouteTable {
  /** By the number of their segments, which a pattern does not change. */
  readonly #compiled = new Map<number, CompiledRoute[]>();

  constructor(routes: readonly AnyRoute[]) {
    for (const route of routes) {
      const pattern = new RegExp(
        `^${route.path.replaceAll(/[.*+?^$()|[\]\\]/g, String.raw`\$&`).replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`,
      );
      const alike = this.#compiled.get(segmentsOf(route.path)) ?? [];
      this.#compiled.set(segmentsOf(route.path), [...alike, { route, pattern }]);
    }
  }

  /** @throws BridgeError `route_not_found` · `method_not_allowed` · `malformed_request` for a bad percent-encoding */
  match(method: string, pathname: string): RouteMatch {
    const sought = method === 'HEAD' ? 'GET' : method;
    const allowed: string[] = [];
    for (const { route, pattern } of this.#compiled.get(segmentsOf(pathname)) ?? []) {
      const found = pattern.exec(pathname);
      if (!found) continue;
      if (route.method === sought) return { route, params: decodeSegments(found.groups ?? {}) };
      allowed.push(route.method);
    }
    if (allowed.length > 0)
      throw new BridgeError('method_not_allowed', {
        detail: `${pathname} takes ${allowed.join(', ')}.`,
        expected: allowed.join(', '),
      });
    throw new BridgeError('route_not_found', { detail: `No route ${method} ${pathname.slice(0, 200)}; see /docs.` });
  }
}

function segmentsOf(path: string): number {
  let segments = 0;
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) segments++;
  return segments;
}

function decodeSegments(groups: Readonly<Record<string, string>>): Record<string, string> {
  const decoded: Record<string, string> = {};
  for (const [name, value] of Object.entries(groups)) {
    try {
      decoded[name] = value.includes('%') ? decodeURIComponent(value) : value;
    } catch {
      throw new BridgeError('malformed_request', { detail: 'The path has a bad percent-encoding.', field: name });
    }
  }
  return decoded;
}

/**
 * Validates what a request carries. `query` is every name with its one value.
 * @throws BridgeError `invalid_field` naming the first field at fault and what was expected
 */
export function validateInput<Route extends AnyRoute>(
  route: Route,
  raw: { params: unknown; query: Readonly<Record<string, string>>; body: unknown },
): RouteInput<Route> {
  const { decimals, ...query } = raw.query;
  return {
    decimals: decimals === undefined ? 'string' : decimalFormOf(decimals),
    params: check(route.params, raw.params, ''),
    query: check(route.query, query, 'query.'),
    body: route.body ? check(route.body, raw.body, '') : undefined,
  } as RouteInput<Route>;
}

/** What the request asks for, held against what the caller may. @throws BridgeError `scope_missing` · `login_not_allowed` */
export function requireAllowed<Route extends AnyRoute>(route: Route, input: RouteInput<Route>, caller: Caller): void {
  for (const scope of route.scopes?.(input) ?? []) requireScope(caller, scope);
  for (const login of route.logins?.(input) ?? []) requireLogin(caller, login);
}

const decimalFormOf = (decimals: string): DecimalForm =>
  (check(decimalFormSchema, { decimals }, 'query.') as { decimals: DecimalForm }).decimals;

function check(schema: z.ZodType, value: unknown, prefix: string): unknown {
  const result = schema.safeParse(value, { error: plainMessage });
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = [...(issue?.path ?? [])];
  if (issue?.code === 'unrecognized_keys') path.push(issue.keys[0] ?? '');
  const field =
    prefix +
    path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i ? '.' : ''}${String(part)}`)).join('');
  const message =
    issue?.code === 'unrecognized_keys'
      ? `expected ${knownNames(schemaAt(schema, issue.path))}`
      : (issue?.message ?? 'not valid');
  const problems = result.error.issues.length;
  throw new BridgeError('invalid_field', {
    detail: `${field || 'body'}: ${message}${problems > 1 ? ` (and ${problems - 1} more)` : ''}`,
    field: field || 'body',
    expected: /^(?:is missing; )?expected (.*)$/s.exec(message)?.[1] ?? message,
  });
}

/** For what the schemas say nothing about themselves. */
function plainMessage(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'invalid_type' && issue.code !== 'invalid_union') return undefined;
  const expected = issue.code === 'invalid_type' ? `expected ${NOUN[issue.expected] ?? issue.expected}` : undefined;
  if (issue.input !== undefined) return expected;
  return expected === undefined ? 'is missing' : `is missing; ${expected}`;
}

const NOUN: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a JSON object',
  array: 'a list',
};

/** The schema of what stands there in a value of `schema`; `undefined` where several are possible. */
function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let at: z.ZodType | undefined = unwrapped(schema);
  for (const part of path) {
    if (at instanceof z.ZodObject) at = unwrapped(at.shape[part as string] as z.ZodType | undefined);
    else at = at instanceof z.ZodArray ? unwrapped(at.element as z.ZodType) : undefined;
  }
  return at;
}

function unwrapped(schema: z.ZodType | undefined): z.ZodType | undefined {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodNullable || inner instanceof z.ZodDefault)
    inner = inner.unwrap() as z.ZodType;
  return inner;
}

function knownNames(schema: z.ZodType | undefined): string {
  const names = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  return names.length > 0 ? `one of ${names.join(', ')}` : 'no fields here';
}

/** One value per name. @throws BridgeError `invalid_field` for a name that comes twice */
export function singleValues(query: URLSearchParams): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of query) {
    if (Object.hasOwn(values, name))
      throw new BridgeError('invalid_field', {
        detail: `query.${name} comes twice.`,
        field: `query.${name}`,
        expected: 'one value; several are joined by commas',
      });
    Object.defineProperty(values, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return values;
}
