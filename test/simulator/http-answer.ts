import { STATUS_CODES } from 'node:http';

export interface Answer {
  readonly status: number;
  /** Empty = no Content-Type header. */
  readonly contentType: string;
  readonly body: string;
  /** A long body instead of `body`. */
  readonly parts?: readonly Buffer[];
  /** Further header lines, each ending in CRLF. */
  readonly headers?: string;
  /** The connection ends after this answer. */
  readonly close?: boolean;
}

/** `403 Forbidden`: an error below JSON is its own status line as text. */
export const plainAnswer = (status: number, close = false): Answer => ({
  status,
  contentType: 'text/plain',
  body: `${status} ${STATUS_CODES[status] ?? 'Unknown'}`,
  close,
});

export const answerHead = (answer: Answer, contentLength: number, keepAlive: boolean): string =>
  `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? 'Unknown'}\r\n` +
  (answer.contentType === '' ? '' : `Content-Type: ${answer.contentType}\r\n`) +
  `${answer.headers ?? ''}Content-Length: ${contentLength}\r\nConnection: ${keepAlive ? 'keep-alive' : 'close'}\r\n\r\n`;
