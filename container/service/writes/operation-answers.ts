import { asBridgeError, BridgeError } from '../../contract/errors.ts';
import { HEADER } from '../../contract/headers.ts';
import { operationPath, storedAnswer, type PlainAnswer } from '../../state/operation-view.ts';
import type { BeginDecision } from '../../state/state-api.ts';
import { toBridgeError } from '../broker/upstream-errors.ts';
import type { RouteAnswer } from '../handler.ts';
import type { RawAnswer } from './settlement.ts';

/** The broker's own answer, as it came. */
export const rawAnswer = ({ status, contentType, text }: RawAnswer): RouteAnswer => ({
  status,
  headers: { 'content-type': contentType },
  body: text,
});

/** Certain: nothing was handed to a connection. */
export function notSent(error: unknown): BridgeError {
  const known = asBridgeError(toBridgeError(error));
  return new BridgeError(known.code, { ...known.context, outcome: 'not_sent' });
}

/** `raw`: the body stays the text it is. */
export const asRouteAnswer = (answer: PlainAnswer, raw: boolean): RouteAnswer => ({
  status: answer.status,
  headers: answer.headers,
  body: raw ? answer.body : (JSON.parse(answer.body) as unknown),
});

/** What a key that is known is answered. @throws BridgeError */
export function knownAnswer(decision: Exclude<BeginDecision, { kind: 'started' }>, raw: boolean): RouteAnswer {
  if (decision.kind !== 'replay') throw refusalOf(decision);
  const answer = asRouteAnswer(storedAnswer(decision.operation), raw);
  return { ...answer, headers: { ...answer.headers, [HEADER.idempotencyReplayed]: 'true' } };
}

function refusalOf(decision: Exclude<BeginDecision, { kind: 'started' | 'replay' }>): BridgeError {
  if (decision.kind === 'other_body')
    return new BridgeError('idempotency_key_reused', {
      detail: 'This Idempotency-Key was used with another request; a new intent needs a new key.',
      field: HEADER.idempotencyKey,
      expected: 'a key that was not used before',
    });
  if (decision.kind === 'in_flight')
    return new BridgeError('operation_in_flight', {
      detail: `The first request with this key is still running; see ${operationPath(decision.operation.key)}.`,
      retryAfterMs: 1000,
    });
  if (decision.kind === 'over_limit')
    return new BridgeError('limit_exceeded', {
      detail: decision.detail,
      expected: `within limits.${decision.limit} of the key`,
    });
  if (decision.kind === 'halted') return new BridgeError('trading_halted', `Trading is halted: ${decision.reason}`);
  return new BridgeError('limit_exceeded', {
    detail: 'The key has used up its orders per minute.',
    retry: 'after',
    retryAfterMs: decision.retryAfterMs,
  });
}
