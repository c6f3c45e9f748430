import { BridgeError, toProblem, type Problem } from '../contract/errors.ts';
import type { Operation, OperationState, StateApi } from './state-api.ts';

/** `GET /v1/operations/{key}`. */
export interface OperationView {
  readonly key: string;
  readonly kind: string;
  readonly state: OperationState;
  readonly outcome: 'executed' | 'refused' | 'not_executed' | 'pending' | 'unknown';
  readonly detail: string;
  readonly login: number | null;
  /** The last word of the order's comment at the broker. */
  readonly tag: string;
  readonly createdAt: string;
  readonly createdAtMs: number;
  readonly settledAt?: string;
  readonly settledAtMs?: number;
  /** Looks at the broker's books that found nothing. */
  readonly looks: number;
  readonly result?: unknown;
}

const OUTCOME: Readonly<Record<OperationState, OperationView['outcome']>> = {
  sending: 'unknown',
  pending: 'pending',
  unknown: 'unknown',
  done: 'executed',
  refused: 'refused',
  not_executed: 'not_executed',
  unresolved: 'unknown',
};

const DETAIL: Readonly<Record<OperationState, string>> = {
  sending: 'It is being sent.',
  pending: 'It is queued at the dealer; the bridge asks for the result.',
  unknown: 'It was sent and no answer came; the bridge looks it up in the broker’s books.',
  done: 'The broker executed it.',
  refused: 'The broker refused it; nothing changed.',
  not_executed: 'It was sent, and the broker’s books do not hold it: it was not executed.',
  unresolved: 'It was sent, and the broker’s books cannot tell whether it was executed.',
};

export const operationPath = (key: string): string => `/v1/operations/${encodeURIComponent(key)}`;

export function operationView(operation: Operation): OperationView {
  const result = parseBody(operation.answer?.body);
  const own = (result as { detail?: unknown } | undefined)?.detail;
  return {
    key: operation.key,
    kind: operation.kind,
    state: operation.state,
    outcome: OUTCOME[operation.state],
    detail: typeof own === 'string' ? own : DETAIL[operation.state],
    login: operation.login,
    tag: operation.tag,
    createdAt: new Date(operation.createdAtMs).toISOString(),
    createdAtMs: operation.createdAtMs,
    ...(operation.settledAtMs === null
      ? {}
      : { settledAt: new Date(operation.settledAtMs).toISOString(), settledAtMs: operation.settledAtMs }),
    looks: operation.emptyLooks,
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

/** 202 with the way to the operation: what a caller gets whose write is not settled. */
export const unsettledAnswer = (operation: Operation): PlainAnswer => ({
  status: 202,
  headers: { location: operationPath(operation.key), 'content-type': 'application/json' },
  body: JSON.stringify({ operation: operationView(operation) }),
});

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
  if (operation.answer && operation.state !== 'pending')
    return {
      status: operation.answer.status,
      headers: { 'content-type': operation.answer.status < 400 ? 'application/json' : 'application/problem+json' },
      body: operation.answer.body,
    };
  return unsettledAnswer(operation);
}

/** The same error, in the certainty that nothing was handed to a connection: safe to send again. */
function notSent(error: BridgeError): BridgeError {
  const code = error.outcome === 'not_sent' ? error.code : 'container_unavailable';
  return new BridgeError(code, { ...error.context, outcome: 'not_sent', retry: 'after' });
}

function problemAnswer(error: BridgeError, requestId: string): PlainAnswer {
  const problem: Problem = toProblem(error, requestId);
  return {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json' },
    body: JSON.stringify(problem),
  };
}

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
