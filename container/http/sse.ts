import type { RequestHandler, Response } from 'express';
import { BridgeError } from '../contract/errors.ts';
import { HEADER } from '../contract/headers.ts';
import { hashKey, presentedKey, requireScope, unauthenticated } from '../contract/keys.ts';
import {
  SSE_HEADERS,
  SseWriter,
  sseOperations,
  type Chunk,
  type Peer,
  type StreamService,
} from '../service/feeds/stream-service.ts';
import { factsOf } from './request-facts.ts';

/** `GET /v1/stream/sse`: the stream as server-sent events. */
export function eventStream(service: StreamService): RequestHandler {
  return async (request, response) => {
    if (request.method !== 'GET')
      throw new BridgeError('method_not_allowed', { detail: '/v1/stream/sse takes GET.', expected: 'GET' });
    const { caller } = factsOf(request);
    if (!caller) throw unauthenticated();
    requireScope(caller, 'read');
    const query = new URL(request.url, 'http://localhost').searchParams;
    const operations = sseOperations(query, request.get('last-event-id'));
    service.admit(true);
    const key = presentedKey(request.get(HEADER.authorization), request.get(HEADER.apiKey));
    const proof = key === undefined ? '' : await hashKey(key);
    if (response.destroyed) return;
    response.writeHead(200, SSE_HEADERS);
    response.write(': open\n\n');
    const connection = service.connect(new EventPeer(response), { caller, proof });
    response.on('close', () => connection.closed());
    response.on('drain', () => service.core.drained(connection));
    for (const operation of operations) connection.receive(operation);
  };
}

class EventPeer implements Peer {
  readonly #response: Response;
  readonly #writer = new SseWriter();

  constructor(response: Response) {
    this.#response = response;
  }

  get bufferedBytes(): number {
    return this.#response.writableLength;
  }

  write(chunk: Chunk): void {
    if (!this.#response.writableEnded) this.#response.write(this.#writer.write(chunk));
  }

  /** The reason was told as an `error` frame. */
  close(): void {
    this.#response.end();
  }
}
