import { hash, randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { LRUCache } from 'lru-cache';
import { HEADER } from '../contract/headers.ts';
import type { Logger } from '../contract/logger.ts';
import { etagMatches, freshnessHeaders, oldestAskedMs, REFERENCE_FRESH_MS } from '../contract/reference-data.ts';
import { requestIdOf, traceparentOf } from '../contract/trace.ts';
import type { Keep } from '../service/handler.ts';
import { contentOf, endWith, type Content } from './answer.ts';
import type { Identify } from './authenticate.ts';
import { oneOf } from './read-request.ts';
import { commonHeaders, type FactsOptions } from './request-facts.ts';

/** What all kept answers may take together. */
const MAX_BYTES = 16 * 1024 * 1024;

interface HotAnswer extends Content {
  readonly etag: string;
  readonly freshUntilMs: number;
  readonly keep: Keep;
  readonly route: string;
  readonly callerId: string;
}

export interface HotAnswersOptions extends Pick<FactsOptions, 'now' | 'epoch' | 'onAnswer' | 'limit'> {
  readonly log: Logger;
  readonly identify: Identify;
  readonly draining: () => boolean;
  /** Entries; 0 = nothing is kept. */
  readonly size: number;
}

/**
 * Reference data that was answered before and is still true, as bytes, written before the framework is asked: of a cached
 * read, routing, validation, decoding, JSON and hashing were nine tenths of the time. An answer belongs to who asked for
 * it: it is found only with the same credentials, so that what was allowed then is allowed now.
 */
export class HotAnswers {
  readonly #options: HotAnswersOptions;
  readonly #answers: LRUCache<string, HotAnswer> | undefined;

  constructor(options: HotAnswersOptions) {
    this.#options = options;
    if (options.size > 0)
      this.#answers = new LRUCache({
        max: options.size,
        maxSize: MAX_BYTES,
        sizeCalculation: ({ bytes }, key) => bytes + key.length,
      });
  }

  /** Answers what is kept; everything else goes on to `next`. */
  before(next: RequestListener): RequestListener {
    return (request, response) => {
      if (!this.#serve(request, response)) next(request, response);
    };
  }

  /** Keeps an answer for the same caller and request target. */
  keep(
    request: IncomingMessage,
    answer: Omit<HotAnswer, 'freshUntilMs' | keyof Content> & {
      readonly freshForMs: number;
      readonly text: string;
    },
  ): void {
    const key = this.#keyOf(request);
    if (key === undefined || answer.freshForMs <= 0) return;
    const { freshForMs, text, ...kept } = answer;
    const { content, bytes } = contentOf(text);
    this.#answers?.set(key, {
      ...kept,
      content,
      bytes,
      freshUntilMs: this.#options.now() + freshForMs,
    });
  }

  /** Keys changed: what was allowed may not be now. */
  clear(): void {
    this.#answers?.clear();
  }

  #keyOf(request: IncomingMessage): string | undefined {
    const { method, url = '', headers } = request;
    // A body, which a GET should not have, is for the framework.
    if (method !== 'GET' || headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined)
      return undefined;
    const identity = this.#options.identify(request);
    return identity === undefined ? undefined : `${url}\n${identity}`;
  }

  #serve(request: IncomingMessage, response: ServerResponse): boolean {
    const { now, epoch, log, onAnswer, draining, limit } = this.#options;
    if (!this.#answers || this.#answers.size === 0 || draining()) return false;
    const startedAt = performance.now();
    const key = this.#keyOf(request);
    const answer = key === undefined ? undefined : this.#answers.get(key);
    if (key === undefined || !answer) return false;
    const freshForMs = answer.freshUntilMs - now();
    if (freshForMs <= 0 || !answer.keep.isCurrent()) {
      this.#answers.delete(key);
      return false;
    }
    const oldestMs = oldestAskedMs((name) => oneOf(request.headers[name]));
    if (oldestMs !== null && REFERENCE_FRESH_MS - freshForMs >= oldestMs) return false;
    const told = limit?.take(answer.callerId, 1);
    // Refused where it is told with the words that belong to it.
    if (told?.refusal) return false;
    answer.keep.countHit();
    const status = etagMatches(request.headers['if-none-match'], answer.etag) ? 304 : 200;
    const requestId = requestIdOf(oneOf(request.headers[HEADER.requestId])) ?? randomUUID();
    const headers = commonHeaders({
      requestId,
      traceparent: traceparentOf(oneOf(request.headers[HEADER.traceparent])),
      epoch: epoch(),
      serverTiming: `bridge;dur=${(performance.now() - startedAt).toFixed(1)}`,
    });
    headers.push(
      ...(told?.headers ?? []),
      'etag',
      answer.etag,
      ...freshnessHeaders(freshForMs),
      'vary',
      'authorization, x-api-key',
    );
    if (status === 200)
      headers.push('content-type', 'application/json; charset=utf-8', 'content-length', String(answer.bytes));
    response.writeHead(status, headers);
    if (status === 304) response.end();
    else endWith(response, answer.content);
    const durationMs = Math.round((performance.now() - startedAt) * 10) / 10;
    const said = { route: answer.route, method: 'GET', status, durationMs, requestId, caller: answer.callerId };
    log.info('request', said);
    onAnswer?.(said);
    return true;
  }
}

export const etagOf = (text: string): string => `"${hash('sha256', text, 'base64url').slice(0, 27)}"`;
