import { addressText, type Address, type Transport } from '../transport/transport.ts';
import type { Credentials } from './sign-in.ts';
import { SignInError } from './sign-in.ts';
import type { SignInGate, SignInPermit } from './sign-in-gate.ts';
import { Session, type SessionHooks, type SessionTimings } from './session.ts';
import { SessionError } from './upstream.ts';

/** A permit that does not come is a state that cannot be reached. */
const PERMIT_TIMEOUT_MS = 10_000;

export interface DialerOptions {
  readonly transport: Transport;
  readonly gate: SignInGate;
  readonly addresses: readonly Address[];
  readonly credentials: Credentials;
  readonly timings: SessionTimings;
  readonly now: () => number;
  /** Address that worked last, from the checkpoint. */
  readonly preferredAddress?: string | undefined;
}

export interface Dialled {
  readonly session: Session;
  readonly address: string;
  readonly epoch: number;
  readonly phasesMs: Readonly<Record<string, number>>;
}

/** Makes one signed-in session per call: permit and connection, sign-in, report. */
export class Dialer {
  readonly #options: DialerOptions;
  #addresses: readonly Address[];
  /** The last one failed, or had to wait: a server that is in trouble is not knocked at before there is a permit. */
  #failedLast = false;

  constructor(options: DialerOptions) {
    this.#options = options;
    this.#addresses = options.addresses;
    if (options.preferredAddress !== undefined) this.prefer(options.preferredAddress);
  }

  /** The address that worked last is tried first. */
  prefer(address: string): void {
    const isPreferred = (candidate: Address): boolean => addressText(candidate) === address;
    this.#addresses = [...this.#addresses].sort((a, b) => Number(isPreferred(b)) - Number(isPreferred(a)));
  }

  /** @throws SessionError `refused` · `backoff` · `unreachable` · `impostor` */
  async dial(hooks: SessionHooks, created: (session: Session) => void): Promise<Dialled> {
    const { gate, transport, credentials, timings } = this.#options;
    const session = new Session(transport, credentials, timings, hooks);
    created(session);
    // TLS takes as long as asking for the permit, which is nearly always given.
    const early = this.#failedLast ? undefined : session.connect(this.#addresses);
    early?.catch(() => undefined);
    this.#failedLast = true;
    const startedAt = performance.now();
    const permitId = await this.#permit().catch((error: unknown) => {
      session.close();
      throw error;
    });
    const permitMs = performance.now() - startedAt;
    let signedIn: Awaited<ReturnType<Session['signIn']>>;
    try {
      await (early ?? session.connect(this.#addresses));
      signedIn = await session.signIn();
    } catch (error) {
      throw await this.#failed(permitId, error);
    }
    this.#failedLast = false;
    const address = addressText(signedIn.address);
    const phasesMs = { permit: permitMs, ...signedIn.phasesMs };
    this.prefer(address);
    try {
      const report = { permitId, address, serverBuild: signedIn.serverBuild, phasesMs };
      const { epoch } = await withTimeout(gate.succeeded(report), PERMIT_TIMEOUT_MS);
      return { session, address, epoch, phasesMs };
    } catch (cause) {
      session.close();
      throw new SessionError('unreachable', 'The sign-in could not be recorded; the session was given up.', { cause });
    }
  }

  /** @throws SessionError `refused` · `backoff` */
  async #permit(): Promise<string> {
    const permit = await withTimeout(this.#options.gate.permit(), PERMIT_TIMEOUT_MS);
    if (!permit.granted) throw pausedError(permit, this.#options.now());
    return permit.permitId;
  }

  async #failed(permitId: string, error: unknown): Promise<SessionError> {
    const failure =
      error instanceof SignInError ? error : new SignInError('unreachable', 'The sign-in failed.', null, error);
    // The next attempt begins with another address.
    if (failure.kind === 'unreachable') this.#addresses = [...this.#addresses.slice(1), ...this.#addresses.slice(0, 1)];
    const { kind, retcode, message: reason } = failure;
    const booked = await withTimeout(this.#options.gate.failed({ permitId, kind, retcode, reason }), PERMIT_TIMEOUT_MS)
      // The permit was booked as a failure when it was given: nothing is lost.
      .catch(() => undefined);
    return new SessionError(kind, reason, {
      retcode: retcode ?? undefined,
      retryAfterMs: booked && Math.max(0, booked.retryAtMs - this.#options.now()),
      cause: error,
    });
  }
}

function pausedError(permit: Extract<SignInPermit, { granted: false }>, nowMs: number): SessionError {
  return new SessionError(permit.retcode === null ? 'backoff' : 'refused', permit.reason, {
    retcode: permit.retcode ?? undefined,
    retryAfterMs: Math.max(0, permit.retryAtMs - nowMs),
  });
}

async function withTimeout<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new SessionError('backoff', 'The checkpoint cannot be reached.')), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
