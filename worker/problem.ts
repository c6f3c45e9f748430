import {
  type BridgeError,
  DEFAULT_RETRY_AFTER_MS,
  PROBLEM_CONTENT_TYPE,
  retryAfterSeconds,
  toProblem,
} from '../container/contract/errors.ts';
import { HEADER } from '../container/contract/headers.ts';

/** The one place where an error becomes an HTTP answer in workerd. */
export function problemResponse(error: BridgeError, requestId: string): Response {
  const problem = toProblem(error, requestId);
  const headers = new Headers({
    'content-type': PROBLEM_CONTENT_TYPE,
    'cache-control': 'no-store',
    [HEADER.requestId]: requestId,
  });
  if (problem.retry === 'after')
    headers.set(HEADER.retryAfter, retryAfterSeconds(problem.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS));
  if (problem.status === 401) headers.set('www-authenticate', 'Bearer');
  if (problem.code === 'method_not_allowed' && problem.expected !== undefined) headers.set('allow', problem.expected);
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}
