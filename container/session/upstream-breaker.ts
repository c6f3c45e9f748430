import { retcodeOf } from '../webapi/retcodes.ts';
import { SessionError, type Reply } from './upstream.ts';

/** A circuit breaker, as far as the sessions know one. */
export interface Circuit {
  readonly status: { readonly reason: string | null };
  waitMs(nowMs: number): number;
  take(nowMs: number): boolean;
  succeeded(nowMs: number): void;
  failed(beganAtMs: number, nowMs: number, reason: string): void;
  trip(nowMs: number, reason: string): void;
}

/**
 * The broker has answered nothing for so long though it was asked: as telling as many failures. Less than callers wait
 * (30 s), more than a server takes that is merely busy.
 */
const SILENT_MS = 20_000;

/** One exchange with the broker. */
export interface WatchedCall {
  answered(reply: Reply): void;
  failed(error: unknown): void;
}

/**
 * What the broker does with calls, for its circuit breaker. Its own troubles count: connections that break, answers that are
 * not its protocol, 5xx, "server is shutting down". What it refuses, for whatever reason, shows that it answers. Sign-ins are
 * not calls: `SignInPause` keeps callers from a broker that nobody can sign in to.
 */
export class UpstreamBreaker {
  readonly #circuit: Circuit;
  readonly #now: () => number;
  /** When each began; the oldest first. */
  readonly #calls = new Set<{ readonly beganAtMs: number }>();
  #answeredAtMs = -Infinity;

  constructor(circuit: Circuit, now: () => number) {
    this.#circuit = circuit;
    this.#now = now;
  }

  /** Before a request waits for a session. @throws SessionError `circuit_open` */
  require(nowMs: number): void {
    this.#lookForSilence(nowMs);
    if (this.#circuit.waitMs(nowMs) > 0) throw this.#refusal(nowMs);
  }

  /** Before one is sent; makes the error for all who wait, `undefined` = it may be sent. */
  take(nowMs: number): (() => SessionError) | undefined {
    return this.#circuit.take(nowMs) ? undefined : () => this.#refusal(nowMs);
  }

  /** One is sent. @param isLong its answer takes long by itself: that it is waited for tells nothing */
  began(nowMs: number, isLong: boolean): WatchedCall {
    const call = { beganAtMs: nowMs };
    if (!isLong) this.#calls.add(call);
    return {
      answered: (reply) => {
        this.#calls.delete(call);
        const trouble = troubleOf(reply);
        this.#answeredAtMs = this.#now();
        if (trouble === undefined) this.#circuit.succeeded(this.#answeredAtMs);
        else this.#circuit.failed(nowMs, this.#answeredAtMs, trouble);
      },
      failed: (error) => {
        this.#calls.delete(call);
        const isBrokers = error instanceof SessionError && error.dispatched;
        if (isBrokers) this.#circuit.failed(nowMs, this.#now(), error.message);
      },
    };
  }

  #lookForSilence(nowMs: number): void {
    for (const call of this.#calls) {
      if (nowMs - call.beganAtMs < SILENT_MS) return;
      this.#calls.delete(call);
      if (call.beganAtMs >= this.#answeredAtMs)
        this.#circuit.trip(nowMs, `The broker has answered nothing for ${SILENT_MS / 1000} s.`);
    }
  }

  #refusal(nowMs: number): SessionError {
    const retryAfterMs = this.#circuit.waitMs(nowMs);
    const { reason } = this.#circuit.status;
    return new SessionError('circuit_open', `The broker failed the last calls and is left alone for now: ${reason}`, {
      retryAfterMs,
    });
  }
}

/** What is wrong with the broker, by its answer. */
function troubleOf({ retcode, status, contentType }: Reply): string | undefined {
  if (retcode === undefined) {
    const isPage = contentType?.startsWith('text/html') === true;
    return status >= 500 || (status === 200 && isPage) ? `The broker answered ${status} without a retcode.` : undefined;
  }
  const { class: kind, name } = retcodeOf(retcode);
  return kind === 'unavailable' || kind === 'timeout' ? `The broker answered ${retcode} ${name}.` : undefined;
}
