import { findCommand, requireCommand, type PassedCommand } from '../../contract/commands.ts';
import { BridgeError } from '../../contract/errors.ts';
import type { Caller } from '../../contract/keys.ts';
import { requireMaskedCommand } from '../../contract/passthrough-logins.ts';
import type { Reply, Upstream } from '../../session/upstream.ts';
import { replyError, toBridgeError } from './upstream-errors.ts';

export interface PassthroughRequest {
  readonly method: string;
  /** As it came over the wire, undecoded. */
  readonly pathname: string;
  /** As it came, without `?`. */
  readonly query: string;
  readonly contentType: string | undefined;
  readonly idempotencyKey: string | undefined;
}

export interface PassthroughContext {
  readonly caller: Caller;
  readonly requestId: string;
  readonly deadlineAtMs: number;
  readonly signal: AbortSignal;
}

/** Status and bytes as the broker sent them. */
export interface PassthroughAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly bytes: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A mutation on its way through the operations ledger. */
export type PassthroughMutation = (
  command: PassedCommand,
  request: PassthroughRequest,
  body: Uint8Array | undefined,
  context: PassthroughContext,
) => Promise<PassthroughAnswer>;

const DEFAULT_CONTENT_TYPE = 'application/json; charset=utf-8';
/** `tick/last` takes 4096 characters of symbols (mt5-webapi §1.7), up to three bytes each when encoded. */
const MAX_QUERY = 14 * 1024;

/** `password`, `pass_main`, `pass_investor`, `otp_secret` … (mt5-webapi §3.3). */
const PASSWORD_NAME = /pass|secret|otp/i;
/** Nothing in it is encoded, or would have to be. */
const PLAIN_QUERY = /^[\w=&.,*~:-]*$/;

/** `/api/*`: the Web API itself, byte for byte, for commands of the table and callers who may use them. */
export class Passthrough {
  readonly #upstream: Upstream;
  readonly #mutate: PassthroughMutation | undefined;

  constructor(upstream: Upstream, mutate?: PassthroughMutation) {
    this.#upstream = upstream;
    this.#mutate = mutate;
  }

  /** What can be said before the body is read. @throws BridgeError */
  admit(request: PassthroughRequest, caller: Caller): PassedCommand {
    const command = findCommand(request.pathname);
    requireCommand(command, caller);
    if (!['GET', 'POST'].includes(request.method))
      throw new BridgeError('method_not_allowed', { detail: 'The Web API takes GET and POST.', expected: 'GET, POST' });
    if (request.query.length > MAX_QUERY)
      throw new BridgeError('uri_too_long', `The query is longer than ${MAX_QUERY} characters; use a body.`);
    const { query } = request;
    const isPlain = PLAIN_QUERY.test(query);
    if (!isPlain && decoded(query) === undefined)
      throw new BridgeError('malformed_request', {
        detail: 'The query holds characters that must be percent-encoded.',
        field: 'query',
        expected: 'percent-encoded UTF-8',
      });
    // Nearly no query needs to be looked at name by name.
    const mayName = !isPlain || PASSWORD_NAME.test(query);
    if (mayName && PASSWORD_NAME.test(decoded(query.replaceAll(/=[^&]*/g, '')) ?? ''))
      throw new BridgeError('malformed_request', {
        detail: 'Passwords go in the body: a URL is written into logs on its way.',
        field: 'query',
        expected: 'a POST with a JSON body like {"Login":"1001","Type":"main","Password":"…"}',
      });
    if (command.mutation && !this.#mutate)
      throw new BridgeError('scope_missing', 'Commands that change the books are not passed through.');
    return command;
  }

  /** @throws BridgeError */
  async answer(
    command: PassedCommand,
    request: PassthroughRequest,
    body: Uint8Array | undefined,
    context: PassthroughContext,
  ): Promise<PassthroughAnswer> {
    const { caller } = context;
    if (caller.logins)
      requireMaskedCommand(command, caller.logins, request.query, body && Buffer.from(body).toString('utf8'));
    if (command.mutation && this.#mutate) return this.#mutate(command, request, body, context);
    return passedAnswer(await this.#read(command, request, body, context));
  }

  async #read(
    command: PassedCommand,
    request: PassthroughRequest,
    body: Uint8Array | undefined,
    { deadlineAtMs, signal }: PassthroughContext,
  ): Promise<Reply> {
    const wire = {
      path: command.path,
      rawQuery: request.query,
      ...(body ? { body } : {}),
      ...(body && request.contentType !== undefined ? { contentType: request.contentType } : {}),
    };
    const { dealer } = this.#upstream;
    try {
      return command.dealer
        ? await dealer.read(wire, dealer.generation, { deadlineAtMs, signal })
        : await this.#upstream.read(wire, { deadlineAtMs, signal });
    } catch (error) {
      throw toBridgeError(error);
    }
  }
}

/** A query as text; `undefined` where it is not percent-encoded UTF-8. */
function decoded(query: string): string | undefined {
  if (/[^\x21-\x7e]|[#"<>\\^`{|}]/.test(query)) return undefined;
  try {
    return decodeURIComponent(query);
  } catch {
    return undefined;
  }
}

/** Whatever has a retcode is the broker's own answer; everything else is one of the bridge's errors. */
export function passedAnswer(reply: Reply, write = false): PassthroughAnswer {
  if (reply.retcode === undefined) {
    const error = replyError(reply, { write });
    if (error) throw error;
  }
  return { status: reply.status, contentType: reply.contentType ?? DEFAULT_CONTENT_TYPE, bytes: reply.bytes };
}
