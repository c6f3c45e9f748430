import type { ServerResponse } from 'node:http';
import {
  DEFAULT_RETRY_AFTER_MS,
  PROBLEM_CONTENT_TYPE,
  retryAfterSeconds,
  toProblem,
  type BridgeError,
} from '../contract/errors.ts';
import { HEADER } from '../contract/headers.ts';

/** What goes back over HTTP, but for the headers that every answer has. */
export interface HttpAnswer {
  readonly status: number;
  /** Names and values in turn, as Node takes them fastest. */
  readonly headers: readonly string[];
  /** Absent: no body, and no content type. */
  readonly body?: string | Uint8Array;
}

/** A body up to here leaves in one write with its head. */
const ONE_WRITE_BYTES = 16 * 1024;

/** The only place that writes an answer of the API. `common` are the headers that every answer has. */
export function writeAnswer(response: ServerResponse, common: readonly string[], answer: HttpAnswer): void {
  const { status, headers, body } = answer;
  const [content, bytes] = contentOf(body);
  const all = [...common, ...headers];
  // Of an answer to HEAD, Node leaves the body out itself.
  if (status !== 304) all.push('content-length', String(bytes));
  response.writeHead(status, all);
  if (content === undefined) response.end();
  else if (typeof content === 'string') response.end(content, 'latin1');
  else response.end(content);
}

/** As text with one character for each byte where that is possible: Node sends a buffer beside its head, in two writes. */
function contentOf(body: string | Uint8Array | undefined): [content: string | Uint8Array | undefined, bytes: number] {
  if (body === undefined) return [undefined, 0];
  if (typeof body === 'string') {
    const bytes = Buffer.byteLength(body);
    return [bytes === body.length ? body : Buffer.from(body), bytes];
  }
  const { buffer, byteOffset, byteLength } = body;
  return [
    byteLength <= ONE_WRITE_BYTES ? Buffer.from(buffer, byteOffset, byteLength).toString('latin1') : body,
    byteLength,
  ];
}

export function problemAnswer(error: BridgeError, requestId: string): HttpAnswer {
  const { retryAfterMs, expected } = error.context;
  const headers = ['content-type', PROBLEM_CONTENT_TYPE, 'cache-control', 'no-store'];
  if (error.retry === 'after' || retryAfterMs !== undefined)
    headers.push(HEADER.retryAfter, retryAfterSeconds(retryAfterMs ?? DEFAULT_RETRY_AFTER_MS));
  if (error.code === 'unauthenticated') headers.push('www-authenticate', 'Bearer realm="mt5-edge-bridge"');
  if (error.code === 'method_not_allowed' && expected !== undefined) headers.push('allow', expected);
  if (error.code === 'draining') headers.push('connection', 'close');
  return { status: error.status, headers, body: JSON.stringify(toProblem(error, requestId)) };
}
