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
  const { content, bytes } = contentOf(body ?? '');
  const all = [...common, ...headers];
  // Of an answer to HEAD, Node leaves the body out itself.
  if (status !== 304) all.push('content-length', String(bytes));
  response.writeHead(status, all);
  endWith(response, content);
}

/** A body as it is written. */
export interface Content {
  /** Text where every character is one byte: Node sends head and text in one write, but a buffer beside its head. */
  readonly content: string | Uint8Array;
  readonly bytes: number;
}

export function contentOf(body: string | Uint8Array): Content {
  if (typeof body === 'string') {
    const bytes = Buffer.byteLength(body);
    return { content: bytes === body.length ? body : Buffer.from(body), bytes };
  }
  const { buffer, byteOffset, byteLength: bytes } = body;
  const isShort = bytes <= ONE_WRITE_BYTES;
  return { content: isShort ? Buffer.from(buffer, byteOffset, bytes).toString('latin1') : body, bytes };
}

export function endWith(response: ServerResponse, content: Content['content']): void {
  if (content.length === 0) response.end();
  else if (typeof content === 'string') response.end(content, 'latin1');
  else response.end(content);
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
