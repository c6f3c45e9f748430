/**
 * The one table of error codes. Every error that leaves the bridge, on any road, is one of these.
 *
 * - `status`: the HTTP status.
 * - `retry`: `no` the same request fails again · `yes` safe to repeat at once · `after` safe to repeat after
 *   `Retry-After` · `check` look at the outcome first (`GET /v1/operations/{key}`).
 * - `outcome`: what happened at the broker: `not_sent` nothing was handed to a connection · `refused` the broker
 *   answered and changed nothing · `unknown` it was handed over and no answer came.
 */
export type Retry = 'no' | 'yes' | 'after' | 'check';
export type Outcome = 'not_sent' | 'refused' | 'unknown';

export interface ErrorEntry {
  readonly status: number;
  readonly title: string;
  readonly retry: Retry;
  readonly outcome: Outcome;
}

const entry = (status: number, title: string, retry: Retry, outcome: Outcome = 'not_sent'): ErrorEntry => ({
  status,
  title,
  retry,
  outcome,
});

export const ERRORS = {
  // The request itself.
  malformed_request: entry(400, 'The request cannot be read', 'no'),
  idempotency_key_required: entry(400, 'Writes need an Idempotency-Key header', 'no'),
  unauthenticated: entry(401, 'No valid API key or session token', 'no'),
  scope_missing: entry(403, 'The key lacks the scope for this', 'no'),
  login_not_allowed: entry(403, 'The key may not touch this login', 'no'),
  address_not_allowed: entry(403, 'The key may not be used from this address', 'no'),
  broker_not_allowed: entry(403, 'The key may not be used at this broker', 'no'),
  limit_exceeded: entry(403, 'A limit of the key forbids this', 'no'),
  trading_halted: entry(403, 'Trading is halted by an administrator', 'no'),
  route_not_found: entry(404, 'No such route', 'no'),
  broker_not_found: entry(404, 'No such broker', 'no'),
  command_not_passed: entry(404, 'This command is not passed through', 'no'),
  object_not_found: entry(404, 'The broker has no such object', 'no', 'refused'),
  operation_not_found: entry(404, 'No such operation', 'no'),
  method_not_allowed: entry(405, 'The route does not take this method', 'no'),
  operation_in_flight: entry(409, 'An operation with this key is still running', 'after'),
  price_moved: entry(409, 'The market is not where the request expects it', 'yes'),
  broker_conflict: entry(409, 'The broker state forbids this now', 'no', 'refused'),
  payload_too_large: entry(413, 'The body is too large', 'no'),
  uri_too_long: entry(414, 'The URL is too long', 'no'),
  unsupported_media_type: entry(415, 'The body has an unsupported type or encoding', 'no'),
  upgrade_required: entry(426, 'This route speaks WebSocket only', 'no'),
  invalid_field: entry(422, 'A field is not valid', 'no'),
  idempotency_key_reused: entry(422, 'The key was used with another body', 'no'),
  broker_rejected: entry(422, 'The broker refused the request', 'no', 'refused'),
  rate_limited: entry(429, 'Too many requests', 'after'),
  session_limit: entry(429, 'Too many sessions for this login', 'no'),

  // The broker.
  broker_forbidden: entry(403, 'The manager account lacks the right for this', 'no', 'refused'),
  broker_rate_limited: entry(429, 'The broker asks for fewer requests', 'after', 'refused'),
  broker_error: entry(502, 'The broker reported an internal error', 'after', 'refused'),
  broker_malformed: entry(502, 'The broker answered something that is not its protocol', 'after'),
  broker_unsupported: entry(501, 'The broker does not support this', 'no', 'refused'),
  broker_unavailable: entry(503, 'The broker is not available', 'after', 'refused'),
  broker_timeout: entry(504, 'The broker did not answer in time', 'check', 'unknown'),
  data_not_ready: entry(503, 'The broker is still preparing this data', 'after', 'refused'),

  // The session.
  sign_in_refused: entry(503, 'The broker refused the sign-in', 'after'),
  sign_in_backoff: entry(503, 'Signing in is paused after failures', 'after'),
  broker_unreachable: entry(503, 'The broker cannot be reached', 'after'),
  circuit_open: entry(503, 'Calls are held back after failures', 'after'),
  session_lost: entry(503, 'The MT5 session was lost', 'yes'),
  deadline_exceeded: entry(504, 'The deadline passed before an answer came', 'yes'),
  outcome_unknown: entry(504, 'It is not known whether the broker executed this', 'check', 'unknown'),

  // The bridge and its platform.
  state_unavailable: entry(503, 'The bridge cannot reach its memory', 'after'),
  overloaded: entry(503, 'The bridge is at its limit', 'after'),
  outbox_full: entry(503, 'Too much waits to be kept by the audit', 'after'),
  draining: entry(503, 'The bridge is shutting down', 'after'),
  no_holder: entry(503, 'No replica holds the session', 'after'),
  container_unavailable: entry(503, 'The container cannot be started', 'after'),
  misconfigured: entry(503, 'The bridge is not configured', 'no'),
  version_mismatch: entry(503, 'Worker and container are of different versions', 'after'),
  internal_error: entry(500, 'The bridge failed', 'no'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorContext {
  /** What is wrong, in plain words. Never holds a secret. */
  readonly detail: string;
  /** The field at fault, as the caller named it (`volume`, `logins[3]`, `query.limit`). */
  readonly field?: string;
  /** What the field should have been. */
  readonly expected?: string;
  /** MT5 return code, and its SDK name (`MT_RET_ERR_NOTFOUND`). */
  readonly retcode?: number;
  readonly retcodeName?: string;
  readonly retryAfterMs?: number;
  /** The prices that a trade was measured against. */
  readonly quote?: ProblemQuote;
  /** Overrides the table where the same code can mean either (a lost session before or after dispatch). */
  readonly outcome?: Outcome;
  readonly retry?: Retry;
  readonly cause?: unknown;
}

/** Prices as the broker gave them, and when. */
export interface ProblemQuote {
  readonly bid: string;
  readonly ask: string;
  /** RFC 3339 UTC. */
  readonly at: string;
  readonly atMs: number;
}

/** The only error class that crosses a room's edge. Thrown inside, mapped to HTTP in one place per runtime. */
export class BridgeError extends Error {
  readonly code: ErrorCode;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, context: ErrorContext | string) {
    const full: ErrorContext = typeof context === 'string' ? { detail: context } : context;
    super(full.detail, full.cause === undefined ? undefined : { cause: full.cause });
    this.name = 'BridgeError';
    this.code = code;
    this.context = full;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get outcome(): Outcome {
    return this.context.outcome ?? ERRORS[this.code].outcome;
  }

  get retry(): Retry {
    return this.context.retry ?? ERRORS[this.code].retry;
  }
}

/** RFC 9457 body. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly retry: Retry;
  readonly outcome: Outcome;
  readonly requestId: string;
  readonly field?: string;
  readonly expected?: string;
  readonly retcode?: number;
  readonly retcodeName?: string;
  readonly retryAfterMs?: number;
  readonly quote?: ProblemQuote;
}

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/** Stable identifier of a code, as RFC 9457 `type`. */
const problemType = (code: ErrorCode): string => `urn:mt5-edge-bridge:problem:${code}`;

/** Anything thrown → BridgeError. What is not one of ours becomes `internal_error` with no detail of its own. */
export function asBridgeError(error: unknown): BridgeError {
  if (error instanceof BridgeError) return error;
  return new BridgeError('internal_error', { detail: 'An unexpected error; see the log by request id.', cause: error });
}

export function toProblem(error: BridgeError, requestId: string): Problem {
  const { field, expected, retcode, retcodeName, retryAfterMs, quote } = error.context;
  return {
    type: problemType(error.code),
    title: ERRORS[error.code].title,
    status: error.status,
    code: error.code,
    detail: error.context.detail,
    retry: error.retry,
    outcome: error.outcome,
    requestId,
    ...(field === undefined ? {} : { field }),
    ...(expected === undefined ? {} : { expected }),
    ...(retcode === undefined ? {} : { retcode }),
    ...(retcodeName === undefined ? {} : { retcodeName }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(quote === undefined ? {} : { quote }),
  };
}

/** Seconds for the `Retry-After` header: whole, at least 1 (RFC 9110 §10.2.3). */
export const retryAfterSeconds = (retryAfterMs: number): string => String(Math.max(1, Math.ceil(retryAfterMs / 1000)));

/** How long a caller waits where the code says `after` and nothing better is known. */
export const DEFAULT_RETRY_AFTER_MS = 1000;
