import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { BridgeError } from '../contract/errors.ts';
import { CONNECTION_HEADERS, HEADER, INTERNAL_HEADERS } from '../contract/headers.ts';
import type { AddressOf } from '../http/authenticate.ts';
import { bodyTooLarge, MAX_BODY_BYTES } from '../contract/json-body.ts';
import { prefixOf } from '../http/broker-target.ts';
import { readBytes } from '../http/read-request.ts';
import { DEFAULT_DEADLINE_MS } from '../http/request-facts.ts';
import { ForwardFailure, type HolderRequests } from './ask-holder.ts';
import { AGAIN_MS, type Holder, type HolderWatch, MOST_TRIES_MS, noHolder } from './holder-watch.ts';
import type { Trust } from './trust.ts';

/** An answer that the holder gives at its deadline is on its way. */
const ANSWER_GRACE_MS = 1_000;

export interface ForwardOptions {
  readonly holders: HolderWatch;
  readonly requests: HolderRequests;
  readonly trust: Trust;
  readonly addressOf: AddressOf;
  readonly now: () => number;
  readonly onForwarded: (result: 'answered' | 'unknown' | 'failed') => void;
}

interface Passed {
  readonly requestId: string;
  readonly deadlineAtMs: number;
  readonly signal: AbortSignal;
  readonly body: Buffer | undefined;
}

/** What is done with an answer instead of passing it on as it comes. */
export type TakeAnswer = (answer: IncomingMessage) => Promise<void>;

/**
 * Sends a caller's request to the replica that holds the session, as the caller sent it, key included: the holder decides
 * as if it had been asked itself. What was not handed to a connection, or to a replica that does not hold, is sent to the
 * next holder, a read also where its answer did not come; a write that was handed over never is.
 */
export class Forward {
  readonly #options: ForwardOptions;

  constructor(options: ForwardOptions) {
    this.#options = options;
  }

  /** @returns the status that was answered @throws BridgeError `no_holder` · `outcome_unknown` · `deadline_exceeded` */
  async serve(
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
    take?: TakeAnswer,
  ): Promise<number> {
    const { onForwarded } = this.#options;
    try {
      const answer = await this.#ask(request, response, requestId);
      onForwarded('answered');
      const { statusCode = 502 } = answer;
      if (take && statusCode === 200) await take(answer);
      else {
        response.writeHead(statusCode, headersOf(answer));
        await pipeline(answer, response);
      }
      return statusCode;
    } catch (error) {
      if (response.headersSent || response.destroyed) {
        response.destroy();
        return 502;
      }
      onForwarded(error instanceof BridgeError && error.outcome === 'unknown' ? 'unknown' : 'failed');
      // Of a read that was taken, the end did not come.
      throw error instanceof BridgeError ? error : noHolder();
    }
  }

  async #ask(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<IncomingMessage> {
    const { holders, now } = this.#options;
    const deadlineAtMs = now() + DEFAULT_DEADLINE_MS;
    const isRead = isBodilessRead(request);
    // Whole, since the next holder may have to get it.
    const body = hasBody(request)
      ? await readBytes(request, MAX_BODY_BYTES, () => bodyTooLarge(MAX_BODY_BYTES))
      : undefined;
    const over = overWith(response, deadlineAtMs + ANSWER_GRACE_MS - now());
    let failingSinceMs: number | undefined;
    for (;;) {
      const holder = await holders.get(failingSinceMs ?? now(), now);
      const { signal, untie } = either(over, holder.replaced);
      try {
        const answer = await this.#askOnce(holder, request, { requestId, deadlineAtMs, signal, body });
        if (!isRead || !isDraining(answer)) return answer;
        answer.resume();
      } catch (failure) {
        untie();
        if (!(failure instanceof ForwardFailure)) throw failure;
        if (failure.wasHandedOver && !isRead) throw lostWrite(request, failure);
      }
      // Nobody waits for it any more.
      if (response.destroyed) throw noHolder();
      if (now() >= deadlineAtMs)
        throw new BridgeError('deadline_exceeded', 'The deadline passed before a holder answered.');
      failingSinceMs ??= now();
      if (now() - failingSinceMs >= MOST_TRIES_MS) throw noHolder();
      // The next one, or the same once more: it may have begun to listen again.
      if (holders.holder?.token === holder.token) await holders.next(AGAIN_MS);
    }
  }

  #askOnce(
    holder: Holder,
    request: IncomingMessage,
    { requestId, deadlineAtMs, signal, body }: Passed,
  ): Promise<IncomingMessage> {
    const { trust, addressOf, requests } = this.#options;
    const own = [
      HEADER.requestId,
      requestId,
      HEADER.startSecret,
      trust.secret,
      HEADER.holderToken,
      String(holder.token),
      HEADER.callerAddress,
      addressOf(request) ?? '',
      HEADER.deadline,
      String(deadlineAtMs),
    ];
    return requests.ask(holder, {
      method: request.method ?? 'GET',
      target: prefixOf(request) + (request.url ?? '/'),
      headers: ['host', new URL(holder.url).host, ...passedHeaders(request), ...own],
      send: (upstream) => void upstream.end(body),
      signal,
    });
  }
}

/** Aborted when the caller has its answer, or has gone, or the time is over. */
function overWith(response: ServerResponse, mostMs: number): AbortSignal {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), mostMs);
  response.once('close', () => {
    clearTimeout(timer);
    over.abort();
  });
  return over.signal;
}

/** As `AbortSignal.any`, but that it holds on to nothing once it is over: there is one for every request. */
function either(...signals: readonly AbortSignal[]): { readonly signal: AbortSignal; readonly untie: () => void } {
  const controller = new AbortController();
  const untie = (): void => {
    for (const signal of signals) signal.removeEventListener('abort', abort);
  };
  const abort = (): void => {
    untie();
    controller.abort();
  };
  for (const signal of signals) {
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
  }
  return { signal: controller.signal, untie };
}

/** Connection-bound, and what only a replica or a Worker may say. */
const DROPPED: ReadonlySet<string> = new Set([...INTERNAL_HEADERS, ...CONNECTION_HEADERS, HEADER.requestId, 'upgrade']);

function passedHeaders({ rawHeaders }: IncomingMessage): string[] {
  const passed: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!DROPPED.has(name.toLowerCase())) passed.push(name, rawHeaders[i + 1] ?? '');
  }
  return passed;
}

/** Of an answer: what concerns the connection to the holder is not the caller's. */
export function headersOf({ rawHeaders }: IncomingMessage): string[] {
  const passed: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    if (name !== 'connection' && name !== 'keep-alive') passed.push(name, rawHeaders[i + 1] ?? '');
  }
  return passed;
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

/** The holder ends: it has refused, and closes the connection with that (`http/answer.ts`). The next one will answer. */
const isDraining = ({ statusCode, headers }: IncomingMessage): boolean =>
  statusCode === 503 && headers.connection === 'close';

/** May be asked twice. */
const isBodilessRead = (request: IncomingMessage): boolean =>
  (request.method === 'GET' || request.method === 'HEAD') && !hasBody(request);

function lostWrite({ headers }: IncomingMessage, cause: ForwardFailure): BridgeError {
  const isKeyed = headers[HEADER.idempotencyKey] !== undefined;
  const detail = 'The replica that holds the session ended, or was replaced, while the request was under way';
  return new BridgeError('outcome_unknown', {
    detail: isKeyed ? `${detail}; look at GET /v1/operations/{key}.` : `${detail}.`,
    cause,
  });
}
