import { BridgeError, type ErrorCode, type ErrorContext } from '../../contract/errors.ts';
import { SessionError, type Reply, type SessionErrorKind } from '../../session/upstream.ts';
import { retcodeOf, type RetcodeClass } from '../../webapi/retcodes.ts';

export interface UpstreamErrorOptions {
  /** The request changes the books: where it may have arrived, its outcome is unknown. */
  readonly write?: boolean;
  /** The command, for words. */
  readonly path?: string;
}

const BY_KIND: Readonly<Record<SessionErrorKind, ErrorCode>> = {
  deadline: 'deadline_exceeded',
  cancelled: 'deadline_exceeded',
  refused: 'sign_in_refused',
  impostor: 'sign_in_refused',
  backoff: 'sign_in_backoff',
  unreachable: 'broker_unreachable',
  lost: 'session_lost',
  draining: 'draining',
  overloaded: 'overloaded',
  malformed: 'broker_malformed',
  circuit_open: 'circuit_open',
};

/** What the sessions report, in the contract's words. Anything else thrown is passed through unchanged. */
export function toBridgeError(error: unknown, { write = false }: UpstreamErrorOptions = {}): unknown {
  if (!(error instanceof SessionError)) return error;
  const { kind, message: detail, retcode, retryAfterMs } = error;
  if (write && error.dispatched)
    return new BridgeError('outcome_unknown', {
      detail: `The request was sent and no answer came: ${detail} It may have been executed.`,
      cause: error,
    });
  return new BridgeError(BY_KIND[kind], {
    detail,
    cause: error,
    ...(retcode === undefined ? {} : { retcode, retcodeName: retcodeOf(retcode).name }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** `null` = no error. */
const BY_CLASS: Readonly<Record<RetcodeClass, ErrorCode | null>> = {
  ok: null,
  accepted: null,
  partial: null,
  not_ready: 'data_not_ready',
  invalid: 'broker_rejected',
  rejected: 'broker_rejected',
  forbidden: 'broker_forbidden',
  not_found: 'object_not_found',
  conflict: 'broker_conflict',
  limit: 'broker_conflict',
  rate_limit: 'broker_rate_limited',
  unavailable: 'broker_unavailable',
  timeout: 'broker_timeout',
  unsupported: 'broker_unsupported',
  internal: 'broker_error',
  sign_in: 'sign_in_refused',
};

/** The error that a retcode stands for; `undefined` for success, partial answers included. */
export function retcodeError(
  code: number,
  text: string,
  { write = false }: UpstreamErrorOptions = {},
): BridgeError | undefined {
  const entry = retcodeOf(code);
  const mapped = BY_CLASS[entry.class];
  if (mapped === null) return undefined;
  const said = text || entry.text || entry.name || 'an unlisted code';
  const context: ErrorContext = {
    detail: `The broker answered ${code} ${said}.`,
    retcode: code,
    ...(entry.name === '' ? {} : { retcodeName: entry.name }),
  };
  // For a read a time-out changes nothing: it may simply be asked again.
  if (mapped === 'broker_timeout' && !write)
    return new BridgeError(mapped, { ...context, outcome: 'refused', retry: 'after' });
  return new BridgeError(mapped, context);
}

/** The error that a reply is; `undefined` for a success. */
export function replyError(
  reply: Reply,
  { write = false, path = 'this command' }: UpstreamErrorOptions = {},
): BridgeError | undefined {
  const { retcode, status } = reply;
  if (retcode !== undefined) return retcodeError(retcode, reply.retcodeText, { write });
  if (status === 403 || status === 401)
    return new BridgeError(
      'broker_forbidden',
      'The broker refused this command (403) and keeps the session: the manager account lacks the right for it.',
    );
  if (write)
    return new BridgeError(
      'outcome_unknown',
      `The broker answered ${status} with no retcode: it may have executed this.`,
    );
  if (status === 400 || status === 404)
    return new BridgeError(
      'broker_unsupported',
      `This build of the server does not know ${path} (it answered ${status}).`,
    );
  if (status >= 500)
    return new BridgeError('broker_unavailable', `The broker answered ${status}: it is busy, or down for maintenance.`);
  return new BridgeError('broker_malformed', `The broker answered ${status} with a body that holds no retcode.`);
}
