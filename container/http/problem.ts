import type { ErrorRequestHandler, Response } from 'express';
import {
  asBridgeError,
  DEFAULT_RETRY_AFTER_MS,
  PROBLEM_CONTENT_TYPE,
  retryAfterSeconds,
  toProblem,
  type BridgeError,
} from '../contract/errors.ts';
import { HEADER } from '../contract/headers.ts';
import type { Logger } from '../contract/logger.ts';
import { factsOf } from './request-facts.ts';

/** Last in the chain: whatever was thrown becomes one of the contract's problems. The only place that does so. */
export function answerProblems(log: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, _next) => {
    const error = asBridgeError(thrown);
    const { requestId } = factsOf(request);
    if (error.code === 'internal_error') log.error('internal_error', { requestId, error: error.cause ?? error });
    else log.debug('problem', { requestId, code: error.code, reason: error.context.detail });
    if (response.headersSent) {
      request.destroy();
      return;
    }
    sendProblem(response, error, requestId);
  };
}

export function sendProblem(response: Response, error: BridgeError, requestId: string): void {
  const { retryAfterMs, expected } = error.context;
  if (error.retry === 'after' || retryAfterMs !== undefined)
    response.setHeader(HEADER.retryAfter, retryAfterSeconds(retryAfterMs ?? DEFAULT_RETRY_AFTER_MS));
  if (error.code === 'unauthenticated') response.setHeader('www-authenticate', 'Bearer realm="mt5-edge-bridge"');
  if (error.code === 'method_not_allowed' && expected !== undefined) response.setHeader('allow', expected);
  response.setHeader('content-type', PROBLEM_CONTENT_TYPE);
  response.setHeader('cache-control', 'no-store');
  response.status(error.status).end(JSON.stringify(toProblem(error, requestId)));
}
