import { BridgeError, PROBLEM_CONTENT_TYPE, toProblem, type Problem } from '../contract/errors.ts';
import { loginAllowed, requireScope, type Caller } from '../contract/keys.ts';
import { isSettled } from './operation-states.ts';
import type { Operation, OperationState, StateApi } from './state-api.ts';

/** `GET /v1/operations/{key}`. */
export interface OperationView {
  readonly key: string;
  readonly kind: string;
  readonly state: OperationState;
  readonly outcome: 'executed' | 'partial' | 'refused' | 'not_executed' | 'pending' | 'unknown';
  readonly detail: string;
  readonly login: number | null;
  readonly caller: string;
  /** The request that began it. */
  readonly requestId: string | null;
  /** The last word of the order's comment at the broker. */
  readonly tag: string;
  readonly createdAt: string;
  readonly createdAtMs: number;
  readonly settledAt?: string;
  readonly settledAtMs?: number;
  /** Looks at the broker's books that found nothing. */
  readonly looks: number;
  /** The price that a dealer named. */
  readonly dealerPrice?: string;
  readonly result?: unknown;
}

const OUTCOME: Readonly<Record<OperationState, OperationView['outcome']>> = {
  sending: 'unknown',
  pending: 'pending',
  unknown: 'unknown',
  done: 'executed',
  partial: 'partial',
  refused: 'refused',
  not_executed: 'not_executed',
  unresolved: 'unknown',
};

const DETAIL: Readonly<Record<OperationState, string>> = {
  sending: 'It is being sent.',
  pending: 'It is queued at the dealer; the bridge asks for the result.',
  unknown: 'It was sent, and no answer tells how it ended; the bridge looks it up in the broker’s books.',
  done: 'The broker executed it.',
  partial: 'Some of it was executed; the answer tells of each part.',
  refused: 'The broker refused it; nothing changed.',
  not_executed: 'It was sent, and the broker’s books do not hold it: it was not executed.',
  unresolved: 'It was sent, and the broker’s books cannot tell whether it was executed.',
};

const UNTOLD: ReadonlySet<OperationState> = new Set(['unknown', 'not_executed', 'unresolved']);

export const operationPath = (key: string): string => `/v1/operations/${encodeURIComponent(key)}`;

export function operationView(operation: Operation): OperationView {
  const result = parseBody(operation.answer?.body);
  const own = (result as { detail?: unknown } | undefined)?.detail;
  const { dealerPrice, reason } = requestOf(operation);
  // What was said, where it does not tell how it ended.
  const said = UNTOLD.has(operation.state) && typeof reason === 'string' ? `${sentence(reason)} ` : '';
  return {
    key: operation.key,
    kind: operation.kind,
    state: operation.state,
    outcome: OUTCOME[operation.state],
    detail: typeof own === 'string' ? own : said + DETAIL[operation.state],
    login: operation.login,
    caller: operation.caller,
    requestId: operation.requestId,
    tag: operation.tag,
    createdAt: new Date(operation.createdAtMs).toISOString(),
    createdAtMs: operation.createdAtMs,
    ...(operation.settledAtMs === null
      ? {}
      : { settledAt: new Date(operation.settledAtMs).toISOString(), settledAtMs: operation.settledAtMs }),
    looks: operation.emptyLooks,
    // A correction stays marked as one.
    ...(typeof dealerPrice === 'string' ? { dealerPrice } : {}),
    ...(result === undefined ? {} : { result: withoutOperation(result) }),
  };
}

/** An answer in the words of HTTP, for whichever runtime gives it. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string;
}

/**
 * What a write with a known key is answered: the stored answer once the broker executed or refused it; 202 with the way
 * to the operation while nobody can tell; the operation itself where nothing came of it.
 */
export function storedAnswer(operation: Operation): PlainAnswer {
  const { state, answer, key } = operation;
  if ((state === 'done' || state === 'partial' || state === 'refused') && answer)
    return {
      status: answer.status,
      headers: { 'content-type': answer.status < 400 ? 'application/json' : PROBLEM_CONTENT_TYPE },
      body: answer.body,
    };
  return {
    status: isSettled(state) ? 200 : 202,
    headers: { location: operationPath(key), 'content-type': 'application/json' },
    body: JSON.stringify({ operation: operationView(operation) }),
  };
}

/**
 * What the Durable Object answers when a write that it forwarded brought no answer (the container died, the connection
 * broke): its own ledger tells. No row = nothing was sent. A row `sending` becomes `unknown`, to be settled by the next
 * process instance. Throws nothing.
 */
export async function failedWriteAnswer(
  state: StateApi,
  write: { caller: string; key: string; requestId: string },
  error: BridgeError,
): Promise<PlainAnswer> {
  const { caller, key, requestId } = write;
  await state.operations.move(caller, key, { to: 'unknown' });
  const operation = await state.operations.get(caller, key);
  if (!operation) return problemAnswer(notSent(error), requestId);
  return storedAnswer(operation);
}

/** The same error where nothing was handed to a connection: safe to send again. */
function notSent(error: BridgeError): BridgeError {
  const code = error.outcome === 'not_sent' ? error.code : 'container_unavailable';
  return new BridgeError(code, { ...error.context, outcome: 'not_sent', retry: 'after' });
}

function problemAnswer(error: BridgeError, requestId: string): PlainAnswer {
  const problem: Problem = toProblem(error, requestId);
  return {
    status: problem.status,
    headers: { 'content-type': PROBLEM_CONTENT_TYPE },
    body: JSON.stringify(problem),
  };
}

const requestOf = ({ request }: Operation): { readonly dealerPrice?: unknown; readonly reason?: unknown } =>
  parseBody(request) ?? {};

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

function parseBody(body: string | undefined): unknown {
  if (body === undefined) return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function withoutOperation(result: unknown): unknown {
  if (typeof result !== 'object' || result === null || !('operation' in result)) return result;
  const { operation: _, ...rest } = result;
  return rest;
}

/**
 * The operation a caller may see: its own, or that of `owner` with the scope `operate`.
 * @throws BridgeError `operation_not_found`, for those of others too · `scope_missing`
 */
export async function requireOperation(
  state: StateApi,
  caller: Caller,
  { key, owner = caller.id }: { readonly key: string; readonly owner?: string | undefined },
): Promise<Operation> {
  if (owner !== caller.id) requireScope(caller, 'operate');
  const operation = await state.operations.get(owner, key);
  if (operation && (operation.login === null || loginAllowed(caller.logins, operation.login))) return operation;
  const whose = owner === caller.id ? 'This key' : `The key ${owner}`;
  throw new BridgeError('operation_not_found', `${whose} has no operation of that name.`);
}

/** `GET /v1/operations`. Operators may ask for those of others. @throws BridgeError `scope_missing` */
export async function listOperationViews(
  state: StateApi,
  caller: Caller,
  query: {
    state?: OperationState | undefined;
    login?: number | undefined;
    tag?: string | undefined;
    caller?: string | undefined;
    limit: number;
    cursor?: string | undefined;
  },
): Promise<{ items: readonly OperationView[]; nextCursor: string | null }> {
  if (query.caller !== undefined && query.caller !== caller.id) requireScope(caller, 'operate');
  const owner = query.caller ?? caller.id;
  const { items, nextCursor } = await state.operations.list({
    limit: query.limit,
    ...(owner === '*' ? {} : { caller: owner }),
    ...(query.state === undefined ? {} : { state: query.state }),
    ...(query.login === undefined ? {} : { login: query.login }),
    ...(query.tag === undefined ? {} : { tag: query.tag }),
    ...(caller.logins ? { logins: caller.logins } : {}),
    ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
  });
  return { items: items.map(operationView), nextCursor };
}
