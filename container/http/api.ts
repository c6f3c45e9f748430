import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { requireTarget } from '../contract/admission.ts';
import { asBridgeError, BridgeError } from '../contract/errors.ts';
import { HEADER } from '../contract/headers.ts';
import type { Logger } from '../contract/logger.ts';
import { TYPED_API_PATHS } from '../contract/routes/monitoring.ts';
import { problemAsAnswer, writeAnswer, type HttpAnswer } from './answer.ts';
import type { AddressOf, Authenticate } from './authenticate.ts';
import { prefixOf } from './broker-target.ts';
import { writeLines } from './lines.ts';
import { headerOf, splitTarget } from './read-request.ts';
import { OpenFacts, type FactsOptions } from './request-facts.ts';

/** Answers one request of a known caller. What it throws becomes a problem. */
export type Serve = (request: IncomingMessage, facts: OpenFacts) => Promise<HttpAnswer>;

export interface AdmitOptions {
  readonly authenticate: Authenticate;
  readonly addressOf: AddressOf;
  /** Behind the Worker: it says what the deadline is. */
  readonly behindDoor: boolean;
  /** So does another replica that forwards. */
  readonly fromReplica?: ((request: IncomingMessage) => boolean) | undefined;
  readonly draining: () => boolean;
}

export interface ApiOptions extends FactsOptions, AdmitOptions {
  readonly passthrough: Serve;
  readonly typed: Serve;
}

/**
 * The API itself, on `node:http`: who calls, which of the two APIs, the answer, or the problem that it became. The framework
 * around it (app.ts) took a quarter of the time of an uncached read.
 */
export class Api {
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  readonly listener: RequestListener = (request, response) => {
    const facts = new OpenFacts(request, response, this.#options);
    this.#answer(request, facts)
      .then((answer) =>
        answer.lines
          ? writeLines(response, facts.commonHeaders(), answer.lines)
          : writeAnswer(response, facts.commonHeaders(), located(answer, prefixOf(request))),
      )
      .catch((thrown: unknown) => answerProblem(this.#options.log, thrown, request, response, facts));
  };

  async #answer(request: IncomingMessage, facts: OpenFacts): Promise<HttpAnswer> {
    await admit(request, facts, this.#options);
    const { url = '' } = request;
    requirePlainTarget(url);
    const { passthrough, typed } = this.#options;
    const passes = /^\/api(\/|$|\?)/i.test(url) && !TYPED_API_PATHS.has(splitTarget(url)[0]);
    return (passes ? passthrough : typed)(request, facts);
  }
}

/**
 * A target that a URL parser would read as another host or path matches no route; a query may name groups as they are.
 * @throws BridgeError `route_not_found` · `uri_too_long`
 */
export function requirePlainTarget(url: string): void {
  if (!/^\/(?!\/)[\x21-\x3e\x40-\x5b\x5d-\x7e]*(?:\?[\x21-\x7e]*)?$/.test(url))
    throw new BridgeError('route_not_found', 'The request target is not a plain path.');
  requireTarget(url);
}

/** Paths that an answer names are those that the caller came by. */
const located = (answer: HttpAnswer, prefix: string): HttpAnswer =>
  prefix === ''
    ? answer
    : {
        ...answer,
        headers: answer.headers.map((value, i, all) => (all[i - 1] === 'location' ? prefix + value : value)),
      };

/**
 * Who calls, and until when an answer is of use. The listener stays open while draining, so that callers get an answer
 * instead of a reset.
 * @throws BridgeError `draining` · `unauthenticated`
 */
export async function admit(
  request: IncomingMessage,
  facts: OpenFacts,
  { draining, authenticate, addressOf, behindDoor, fromReplica }: AdmitOptions,
): Promise<void> {
  if (draining())
    throw new BridgeError('draining', {
      detail: 'The bridge shuts down; another instance takes over.',
      retryAfterMs: 2_000,
    });
  const header = headerOf(request);
  const address = (): string | undefined => addressOf(request);
  facts.address = behindDoor ? () => header(HEADER.callerAddress) : address;
  const { method, url: target, socket: connection } = request;
  facts.caller = await authenticate(header, { address, connection, method, target });
  facts.charge(1);
  if (behindDoor || fromReplica?.(request)) facts.noteDeadline(header(HEADER.deadline));
}

/** Whatever was thrown becomes one of the contract's problems. The only place that does so. */
export function answerProblem(
  log: Logger,
  thrown: unknown,
  request: IncomingMessage,
  response: ServerResponse,
  facts: OpenFacts,
): void {
  const error = asBridgeError(thrown);
  const { requestId } = facts;
  facts.code = error.code;
  if (error.code === 'internal_error') log.error('internal_error', { requestId, error: error.cause ?? error });
  else log.debug('problem', { requestId, code: error.code, reason: error.context.detail });
  if (response.headersSent) {
    request.destroy();
    return;
  }
  writeAnswer(response, facts.commonHeaders(), problemAsAnswer(error, requestId));
}
