import type { ServerResponse } from 'node:http';
import type { BridgeError } from '../contract/errors.ts';
import { problemAnswer } from '../contract/problem.ts';

/** What goes back over HTTP, but for the headers that every answer has. */
export interface HttpAnswer {
  readonly status: number;
  /** Names and values in turn, as Node takes them fastest. */
  readonly headers: readonly string[];
  /** Absent: no body, and no content type. */
  readonly body?: string | Uint8Array;
  /** In place of a body: a list that is written as it comes. */
  readonly lines?: TextLines;
}

export interface TextLines {
  /** `content-type`. */
  readonly type: string;
  readonly text: AsyncIterable<string>;
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

/** A problem as this side writes it: connections of a bridge that shuts down end with their answer. */
export function problemAsAnswer(error: BridgeError, requestId: string): HttpAnswer {
  const { status, headers, body } = problemAnswer(error, requestId);
  const pairs = Object.entries(headers).flat();
  if (error.code === 'draining') pairs.push('connection', 'close');
  return { status, headers: pairs, body };
}
