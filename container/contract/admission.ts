import { type PassedCommand, findCommand, requireCommand } from './commands.ts';
import type { CustomCommands } from './custom-commands.ts';
import { BridgeError } from './errors.ts';
import { CSV_TYPE, HTML_TYPE, HEADER, LINES_TYPE } from './headers.ts';
import { checkEncoding, checkJsonHeaders, MAX_BODY_BYTES, parseJsonBody } from './json-body.ts';
import { type Caller, requireEveryBroker, requireEveryLogin, requireScope, unauthenticated } from './keys.ts';
import { requireMaskedCommand } from './passthrough-logins.ts';
import {
  type AnyRoute,
  requireAllowed,
  type RouteInput,
  type RouteMatch,
  singleValues,
  validateInput,
} from './route.ts';

/**
 * What a request must be before anything is done for it. One rule for both runtimes: the Worker's door asks, so that
 * nothing is woken for a bad request, and the container asks again. Each side shows its requests as a `Call`.
 */
export interface Call {
  readonly method: string;
  /** It has a body, possibly an empty one. */
  readonly hasBody: boolean;
  header(name: string): string | null | undefined;
  /** Counts so many more requests against the caller's limit. @throws BridgeError `rate_limited` */
  charge(count: number): void;
  /** The whole body. @throws BridgeError `payload_too_large` beyond so many bytes */
  readBody(maxBytes: number): Promise<Uint8Array>;
  /** Who calls; `null` = nobody said. Asked only where it matters. @throws BridgeError `unauthenticated` */
  caller(): Caller | null | Promise<Caller | null>;
}

/** A request of the typed API. */
export interface TypedCall extends Call {
  readonly query: URLSearchParams;
}

/** JSON, or what the `Accept` header asks for. */
export type AnswerForm = 'json' | 'csv' | 'page';

/** A request of the typed API that may be answered. */
export interface Admitted {
  readonly route: AnyRoute;
  readonly input: RouteInput<AnyRoute>;
  readonly caller: Caller;
  readonly idempotencyKey: string | undefined;
  /** `Prefer: return=minimal` (RFC 7240): what the write itself did not tell is not read for the answer. */
  readonly prefersMinimal: boolean;
  /** `Accept: application/x-ndjson`, or `text/csv` where the table is of all: every item as a line, in place of a page. */
  readonly takesWhole: boolean;
  /** What the answer is written as. */
  readonly form: AnswerForm;
  /** As it came; absent = none. */
  readonly body?: { readonly bytes: Uint8Array; readonly text: string };
}

/** Longest path and query: `tick/last` takes 4096 characters of symbols (mt5-webapi §1.7), up to three bytes each when
 * encoded; Node and Cloudflare take 16 KiB. */
export const MAX_TARGET_CHARACTERS = 14 * 1024;
/** A raw command may carry a batch of groups or symbols, some kilobytes each. */
const MAX_COMMAND_BODY_BYTES = 1024 * 1024;

/** Visible ASCII that fits in a header and in the ledger's column. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
const KEY_EXPECTED = '1–255 visible ASCII characters';
/** Calls a route that needs no key, without one. */
const ANONYMOUS: Caller = { id: 'anonymous', scopes: [] };

/** @throws BridgeError `uri_too_long` */
export function requireTarget(target: string): void {
  if (target.length <= MAX_TARGET_CHARACTERS) return;
  throw new BridgeError('uri_too_long', {
    detail: `The URL is longer than ${MAX_TARGET_CHARACTERS} characters.`,
    expected: `at most ${MAX_TARGET_CHARACTERS} characters; /v1/batch and raw commands take a body`,
  });
}

/**
 * Scope, idempotency key, body, fields, and what the caller may ask for, in this order: cheap checks come before
 * costly ones.
 * @throws BridgeError
 */
export async function admit({ route, params }: RouteMatch, call: TypedCall): Promise<Admitted> {
  const caller = await callerOf(route, call);
  const idempotencyKey = keyOf(route.write, call.header(HEADER.idempotencyKey));
  const body = await typedBody(route, call);
  const input = validateInput(route, { params, query: singleValues(call.query), body: body?.value ?? NO_BODY });
  requireAllowed(route, input, caller);
  const cost = route.cost?.(input) ?? 1;
  if (cost > 1) call.charge(cost - 1);
  const prefersMinimal = route.brief === true && isMinimal(call.header(HEADER.prefer));
  const form = formOf(route, call);
  const takesWhole =
    form === 'csv'
      ? route.table?.of === 'all' && hasNoPages(CSV_TYPE, call)
      : route.lines === true && accepts(call, LINES_TYPE) && hasNoPages(LINES_TYPE, call);
  return {
    route,
    input,
    caller,
    idempotencyKey,
    prefersMinimal,
    takesWhole,
    form,
    ...(body ? { body } : {}),
  };
}

/** What a route with `bodyOptional` is given where none came. */
const NO_BODY: object = {};

async function callerOf(route: AnyRoute, call: Call): Promise<Caller> {
  if (route.scope === null) return ANONYMOUS;
  const caller = await call.caller();
  if (caller === null) throw unauthenticated();
  requireRights(route, caller);
  return caller;
}

/** What a caller must be for a route, whatever it asks for there. @throws BridgeError `scope_missing` · `login_not_allowed` · `broker_not_allowed` */
export function requireRights({ scope, wide, everyBroker }: AnyRoute, caller: Caller): void {
  if (scope !== null) requireScope(caller, scope);
  if (wide) requireEveryLogin(caller);
  if (everyBroker) requireEveryBroker(caller);
}

/** @throws BridgeError `idempotency_key_required` · `malformed_request` */
function keyOf(isWrite: boolean, key: string | null | undefined): string | undefined {
  if (key === null || key === undefined) {
    if (!isWrite) return undefined;
    throw new BridgeError('idempotency_key_required', {
      detail: 'A write needs an Idempotency-Key header, new for each intent and the same for its repetitions.',
      field: HEADER.idempotencyKey,
      expected: KEY_EXPECTED,
    });
  }
  if (IDEMPOTENCY_KEY.test(key)) return key;
  throw new BridgeError('malformed_request', {
    detail: 'The idempotency key has characters that a key cannot have, or is too long.',
    field: HEADER.idempotencyKey,
    expected: KEY_EXPECTED,
  });
}

/** Of preferences given twice the first counts (RFC 7240 §2). */
const isMinimal = (prefer: string | null | undefined): boolean =>
  /(?:^|[,;])\s*return\s*=\s*"?([\w-]+)/i.exec(prefer ?? '')?.[1]?.toLowerCase() === 'minimal';

const accepts = (call: TypedCall, type: string): boolean =>
  call.method === 'GET' && (call.header('accept') ?? '').toLowerCase().includes(type);

/** @throws BridgeError `invalid_field` for a place in a list that has no pages */
function hasNoPages(type: string, call: TypedCall): true {
  if (!call.query.has('cursor')) return true;
  throw new BridgeError('invalid_field', {
    detail: `query.cursor: ${type} has no pages.`,
    field: 'query.cursor',
    expected: 'the list from its beginning: without cursor',
  });
}

/** The first that is named and can be given. */
function formOf(route: AnyRoute, call: TypedCall): AnswerForm {
  if (call.method !== 'GET') return 'json';
  for (const range of (call.header('accept') ?? '').toLowerCase().split(',')) {
    const type = range.split(';', 1)[0]?.trim();
    if (type === CSV_TYPE && route.table) return 'csv';
    if (type === HTML_TYPE && route.page === true) return 'page';
    if (type === 'application/json') return 'json';
  }
  return 'json';
}

interface TypedBody {
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly value: unknown;
}

/** @throws BridgeError 400 · 413 · 415 */
async function typedBody(route: AnyRoute, call: Call): Promise<TypedBody | undefined> {
  requireNoBodyOfGet(call);
  if (!route.body || (route.bodyOptional === true && isEmpty(call))) return undefined;
  if (!isEmpty(call)) checkJsonHeaders((name) => call.header(name));
  const bytes = await call.readBody(MAX_BODY_BYTES);
  return { bytes, ...parseJsonBody(bytes) };
}

/** `fetch(url, {method: 'POST'})` says `content-length: 0`: that is no body, whatever the type says. */
const isEmpty = (call: Call): boolean => !call.hasBody || call.header('content-length') === '0';

function requireNoBodyOfGet(call: Call): void {
  if (isEmpty(call) || (call.method !== 'GET' && call.method !== 'HEAD')) return;
  throw new BridgeError('malformed_request', {
    detail: `A ${call.method} takes no body.`,
    field: 'body',
    expected: 'parameters in the path and query alone',
  });
}

/** A request of `/api/*`, as it came over the wire: nothing is decoded or normalised. */
export interface RawCall extends Call {
  readonly pathname: string;
  /** Without `?`. */
  readonly query: string;
}

/** A raw command that may be passed on. */
export interface AdmittedCommand {
  readonly command: PassedCommand;
  readonly caller: Caller;
  readonly query: string;
  readonly body?: Uint8Array;
  readonly contentType?: string;
  readonly idempotencyKey: string | undefined;
}

/** `password`, `pass_main`, `pass_investor`, `otp_secret` … (mt5-webapi §3.3). */
const PASSWORD_NAME = /pass|secret|otp/i;
/** Nothing in it is encoded, or would have to be. */
const PLAIN_QUERY = /^[\w=&.,*~:-]*$/;
const COMMAND_TYPES = /^(application\/json|application\/x-www-form-urlencoded|text\/plain)\s*(;.*)?$/i;

/** Command, method, key, query, body, and the logins that a masked key may touch. @throws BridgeError */
export async function admitCommand(call: RawCall, custom?: CustomCommands): Promise<AdmittedCommand> {
  const command = findCommand(call.pathname, custom);
  if (call.method !== 'GET' && call.method !== 'POST')
    throw new BridgeError('method_not_allowed', { detail: 'The Web API takes GET and POST.', expected: 'GET, POST' });
  const caller = await call.caller();
  if (caller === null) throw unauthenticated();
  requireCommand(command, caller);
  requireQuery(call.query);
  const idempotencyKey = command.mutation ? keyOf(true, call.header(HEADER.idempotencyKey)) : undefined;
  requireNoBodyOfGet(call);
  const contentType = isEmpty(call) ? undefined : commandType(call.header('content-type'));
  checkEncoding((name) => call.header(name));
  const body = isEmpty(call) ? undefined : await call.readBody(MAX_COMMAND_BODY_BYTES);
  if (caller.logins && body && contentType !== undefined && !/^application\/json\b/i.test(contentType))
    throw new BridgeError('login_not_allowed', {
      detail: 'A key with a login mask may send JSON only, and say so.',
      field: 'content-type',
      expected: 'application/json',
    });
  if (caller.logins) requireMaskedCommand(command, caller.logins, call.query, body && new TextDecoder().decode(body));
  return {
    command,
    caller,
    query: call.query,
    idempotencyKey,
    ...(body ? { body } : {}),
    ...(contentType === undefined ? {} : { contentType }),
  };
}

/** @throws BridgeError `malformed_request` */
function requireQuery(query: string): void {
  const isPlain = PLAIN_QUERY.test(query);
  if (!isPlain && decoded(query) === undefined)
    throw new BridgeError('malformed_request', {
      detail: 'The query holds characters that must be percent-encoded.',
      field: 'query',
      expected: 'percent-encoded UTF-8',
    });
  // Nearly no query needs to be looked at name by name.
  const mayName = !isPlain || PASSWORD_NAME.test(query);
  if (mayName && PASSWORD_NAME.test(decoded(query.replaceAll(/=[^&]*/g, '')) ?? ''))
    throw new BridgeError('malformed_request', {
      detail: 'Passwords go in the body: a URL is written into logs on its way.',
      field: 'query',
      expected: 'a POST with a JSON body like {"Login":"1001","Type":"main","Password":"…"}',
    });
}

/** A query as text; `undefined` where it is not percent-encoded UTF-8. */
function decoded(query: string): string | undefined {
  if (/[^\x21-\x7e]|[#"<>\\^`{|}]/.test(query)) return undefined;
  try {
    return decodeURIComponent(query);
  } catch {
    return undefined;
  }
}

/** @throws BridgeError `unsupported_media_type` */
function commandType(type: string | null | undefined): string | undefined {
  if (type === null || type === undefined) return undefined;
  if (COMMAND_TYPES.test(type)) return type;
  throw new BridgeError('unsupported_media_type', {
    detail: 'The Web API takes JSON text.',
    field: 'content-type',
    expected: 'application/json or application/x-www-form-urlencoded',
  });
}
