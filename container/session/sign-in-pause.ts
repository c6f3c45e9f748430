import { SessionError } from './upstream.ts';

/** A refusal is repeated to callers for so long without asking the state again: an administrator may have reset it. */
const CACHE_MS = 1_000;

/** Why nobody is signed in, and until when nobody will be. */
export class SignInPause {
  #failure: { readonly error: SessionError; readonly retryAtMs: number; readonly cachedUntilMs: number } | undefined;

  /** `undefined` = the last sign-in did not fail. */
  get error(): SessionError | undefined {
    return this.#failure?.error;
  }

  clear(): void {
    this.#failure = undefined;
  }

  /** Whether callers are told the reason without another try. */
  holds(nowMs: number): boolean {
    return this.#failure !== undefined && nowMs < this.#failure.cachedUntilMs;
  }

  /** While a refusal is waited out, it stays the reason. */
  reasonOf(given: SessionError): SessionError {
    const known = this.#failure?.error;
    const isSame = given.kind === 'backoff' && known?.kind === 'refused' && known.message === given.message;
    return isSame
      ? new SessionError('refused', given.message, { retryAfterMs: given.retryAfterMs, cause: given })
      : given;
  }

  begin(error: SessionError, nowMs: number): void {
    const retryAtMs = retryAt(error, nowMs);
    this.#failure = { error, retryAtMs, cachedUntilMs: Math.min(retryAtMs, nowMs + CACHE_MS) };
  }

  /** The reason, with the time that is left. */
  told(nowMs: number): SessionError {
    const { error, retryAtMs } = this.#failure ?? { error: new SessionError('backoff', 'Paused.'), retryAtMs: nowMs };
    return new SessionError(error.kind, error.message, {
      retcode: error.retcode,
      retryAfterMs: Math.max(0, retryAtMs - nowMs),
      cause: error,
    });
  }
}

/** When it may be tried again, epoch ms. */
export const retryAt = ({ retryAfterMs = CACHE_MS }: SessionError, nowMs: number): number => nowMs + retryAfterMs;

export function asSessionError(error: unknown): SessionError {
  if (error instanceof SessionError) return error;
  const reason = error instanceof Error ? error.message : 'no sign-in is permitted now';
  return new SessionError('backoff', `The sign-in has to wait: ${reason}`, { cause: error });
}
