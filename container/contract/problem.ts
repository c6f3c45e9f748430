import {
  type BridgeError,
  DEFAULT_RETRY_AFTER_MS,
  PROBLEM_CONTENT_TYPE,
  retryAfterSeconds,
  toProblem,
} from './errors.ts';
import { HEADER } from './headers.ts';

/** An error as an HTTP answer, for whichever runtime writes it: requests, and upgrades that are refused. */
export interface ProblemAnswer {
  readonly status: number;
  /** Without those that every answer has. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string;
}

export function problemAnswer(error: BridgeError, requestId: string): ProblemAnswer {
  const { retryAfterMs, expected } = error.context;
  const headers: Record<string, string> = { 'content-type': PROBLEM_CONTENT_TYPE, 'cache-control': 'no-store' };
  if (error.retry === 'after' || retryAfterMs !== undefined)
    headers[HEADER.retryAfter] = retryAfterSeconds(retryAfterMs ?? DEFAULT_RETRY_AFTER_MS);
  if (error.code === 'unauthenticated') headers['www-authenticate'] = 'Bearer realm="mt5-edge-bridge"';
  if (error.code === 'method_not_allowed' && expected !== undefined) headers['allow'] = expected;
  return { status: error.status, headers, body: JSON.stringify(toProblem(error, requestId)) };
}
