// oxlint-disable-next-line typescript/triple-slash-reference -- so that every tsconfig that reaches this file sees it
/// <reference path="./undici-parts.d.ts" />
import type { TLSSocket } from 'node:tls';
import errors from 'undici/lib/core/errors.js';
import Client from 'undici/lib/dispatcher/client.js';
import { skipContinue } from './skip-continue.ts';
import { openSocket, type SocketOptions } from './open-socket.ts';
import {
  TransportError,
  addressText,
  type Address,
  type Connection,
  type ExchangeOptions,
  type Transport,
  type TransportReply,
  type TransportRequest,
} from './transport.ts';

/**
 * MT5 ends an answer at 16 MB of records (mt5-webapi §1.7); the same records as JSON text are at most half as much
 * again. A longer answer is not the protocol, and cannot be drained cheaply: it ends the connection.
 */
const MAX_ANSWER_BYTES = 24 * 1024 * 1024;
/** An idle connection is ended by MT5 or by the session, never by undici. */
const NEVER_MS = 2 ** 31 - 1;

export class UndiciTransport implements Transport {
  readonly #options: SocketOptions;
  readonly #maxAnswerBytes: number;

  constructor(options: SocketOptions, maxAnswerBytes = MAX_ANSWER_BYTES) {
    this.#options = options;
    this.#maxAnswerBytes = maxAnswerBytes;
  }

  async open(address: Address, timeoutMs: number): Promise<Connection> {
    const startedAt = performance.now();
    const socket = await openSocket(address, this.#options, timeoutMs);
    return new UndiciConnection(address, socket, performance.now() - startedAt, this.#maxAnswerBytes);
  }
}

/** undici's HTTP/1.1 parser and writer over one socket that was opened before: its connector hands it out once. */
class UndiciConnection implements Connection {
  readonly address: Address;
  readonly openedInMs: number;
  readonly closed: Promise<TransportError>;
  readonly #client: InstanceType<typeof Client>;
  readonly #socket: TLSSocket;
  readonly #maxAnswerBytes: number;
  readonly #answerBegins: () => void;

  constructor(address: Address, socket: TLSSocket, openedInMs: number, maxAnswerBytes: number) {
    this.address = address;
    this.openedInMs = openedInMs;
    this.#socket = socket;
    this.#answerBegins = skipContinue(socket);
    this.#maxAnswerBytes = maxAnswerBytes;
    let handedOut = false;
    this.#client = new Client(`https://${addressText(address)}`, {
      pipelining: 1,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: NEVER_MS,
      keepAliveMaxTimeout: NEVER_MS,
      // A server's "Keep-Alive: timeout=5" would make undici close: a threshold below zero adds to it instead.
      keepAliveTimeoutThreshold: -NEVER_MS,
      connect: (_options, callback) => {
        const first = !handedOut;
        handedOut = true;
        // Not at once: undici forgets a request whose connector calls back before it has returned.
        queueMicrotask(() => {
          if (first) callback(null, socket);
          else callback(new TransportError('lost', 'the connection is gone'), null);
        });
      },
    });
    this.closed = new Promise((resolve) => {
      let reason: Error | undefined;
      socket.once('error', (error) => (reason = error));
      socket.once('close', () => {
        resolve(new TransportError('lost', reason ? `the connection broke: ${reason.message}` : 'the server closed'));
        this.#client.destroy().catch(() => undefined);
      });
    });
  }

  exchange(request: TransportRequest, options: ExchangeOptions): Promise<TransportReply> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let status = 0;
      let length = 0;
      let headers: TransportReply['headers'] = {};
      if (this.#socket.destroyed || !this.#socket.writable)
        return reject(new TransportError('lost', 'the connection is gone'));
      this.#client.dispatch(
        { method: request.method, path: request.path, headers: request.headers, body: request.body ?? null },
        {
          onRequestStart: () => {
            this.#answerBegins();
            options.onSent();
          },
          onResponseStart: (controller, statusCode, responseHeaders) => {
            status = statusCode;
            headers = responseHeaders;
            options.onProgress?.();
            if (Number(responseHeaders['content-length']) > this.#maxAnswerBytes) controller.abort(this.#tooLong());
          },
          onResponseData: (controller, chunk) => {
            options.onProgress?.();
            length += chunk.length;
            if (length > this.#maxAnswerBytes) controller.abort(this.#tooLong());
            else chunks.push(chunk);
          },
          onResponseEnd: () => resolve({ status, headers, bytes: Buffer.concat(chunks, length) }),
          onResponseError: (_controller, error) => reject(transportError(error, status !== 0)),
        },
      );
    });
  }

  #tooLong(): TransportError {
    return new TransportError('malformed', `the answer is longer than ${this.#maxAnswerBytes} bytes`);
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

function transportError(error: Error, answering: boolean): TransportError {
  if (error instanceof TransportError) return error;
  const malformed =
    error instanceof errors.HTTPParserError ||
    error instanceof errors.HeadersOverflowError ||
    error instanceof errors.ResponseContentLengthMismatchError ||
    /^(bad response|bad upgrade)$/.test(error.message);
  if (malformed) return new TransportError('malformed', `the answer is not HTTP/1.1: ${error.message}`, error);
  return answering
    ? new TransportError('truncated', `the connection broke in the middle of an answer: ${error.message}`, error)
    : new TransportError('lost', `the connection broke: ${error.message}`, error);
}
