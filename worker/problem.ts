import type { BridgeError } from '../container/contract/errors.ts';
import { HEADER } from '../container/contract/headers.ts';
import { problemAnswer } from '../container/contract/problem.ts';

/** The one place where an error becomes an HTTP answer in workerd. */
export function problemResponse(error: BridgeError, requestId: string): Response {
  const { status, headers, body } = problemAnswer(error, requestId);
  return new Response(body, { status, headers: { ...headers, [HEADER.requestId]: requestId } });
}
