import type { Breaker, BreakerStatus } from '../../../container/contract/breaker.ts';
import type { Activity, ControlMessage, StateCall, StateFailure } from '../../../container/contract/control.ts';
import { asBridgeError, BridgeError, type ErrorCode } from '../../../container/contract/errors.ts';
import { HEADER } from '../../../container/contract/headers.ts';
import type { AnswerOf } from '../../../container/contract/route.ts';
import type { adminOrigins } from '../../../container/contract/routes/admin.ts';
import { circuitStatus, type OriginName, originStatus } from '../../../container/contract/schemas/status.ts';
import type { Journal } from '../../../container/state/journal.ts';
import { callerId } from '../failed-forward.ts';
import type { Instance } from '../instance.ts';
import type { StartReason, StopReason } from '../lifecycle.ts';
import { Claims, ofWhole } from './claims.ts';
import { type ForwardRequest, forwardToOrigin } from './forward-to-origin.ts';
import type { Origin } from './origin.ts';
import { ReturnToPrimary, type ReturnTimings } from './return-to-primary.ts';

/** Which origin answers, over resets of the Durable Object. */
const SERVING_KEY = 'bridge:serving-fallback';
/** How long the side that gives the session up may take, before the other signs in. */
const GIVE_UP_MS = 3_000;

/** One of the two, in its part. */
export interface Side {
  readonly name: OriginName;
  readonly origin: Origin;
  /** Of the road to it. */
  readonly breaker: Breaker;
}

export interface OriginsParts {
  readonly primary: Side;
  /** Absent: what the primary cannot answer is not answered. */
  readonly fallback: Side | undefined;
  /** The primary has so long to be ready. */
  readonly afterMs: number;
  /** Whether writes go to the fallback as well. */
  readonly writes: boolean;
  readonly kv: Pick<SyncKvStorage, 'get' | 'put' | 'delete'>;
  readonly journal: Pick<Journal, 'write'>;
  readonly now: () => number;
  readonly returning: ReturnTimings;
  readonly onFault: (what: string, error: unknown) => void;
}

/** Which side answers, since when, and why it is the fallback. */
export interface Serving {
  readonly name: OriginName;
  readonly sinceMs: number | null;
  readonly reason: string | null;
}

/** On whose behalf a request goes through. */
export interface Behalf {
  readonly reason: StartReason;
  /** Whether anything is started for it, or another origin asked. */
  readonly mayStart: boolean;
  /** Told of what it waits for before it is sent. */
  readonly starting: (start: () => Promise<void>) => Promise<void>;
}

/** Both origins as an operator may see them. */
export type OriginsView = AnswerOf<typeof adminOrigins>;

/**
 * The primary, and where it cannot be had the fallback. One of them holds the session at a time: whoever takes over has the
 * other give it up first, and the epoch of its sign-in fences what the other may still do. Both remember in the same
 * ledger, that of this Durable Object. A write goes to the one that its key was claimed for (`Claims`), and has its row
 * before it is sent to the broker: it is never sent by both, and what is unknown stays so until the books tell.
 */
export class Origins {
  readonly #parts: OriginsParts;
  readonly #claims: Claims;
  readonly #return: ReturnToPrimary;
  #serving: Serving;
  /** Why the fallback is being asked to take over; undefined = it is not. */
  #takingOver: string | undefined;
  #switching: Promise<void> | undefined;

  constructor(parts: OriginsParts) {
    this.#parts = parts;
    this.#claims = new Claims(parts.now);
    const { primary, fallback, kv, now } = parts;
    this.#return = new ReturnToPrimary({
      ...parts.returning,
      now,
      /** It is back when it says hello (`beforeHandover`). Starts that fail are spaced by the lifecycle. */
      tryPrimary: () => void primary.origin.ensure('hand back').catch(() => undefined),
      activity: () => fallback?.origin.activity ?? null,
      letGo: () => this.#letGo('Nobody asks: the fallback gives the session up.'),
    });
    this.#serving = { name: primary.name, sinceMs: null, reason: null };
    const kept = fallback && kv.get<Serving>(SERVING_KEY);
    if (kept) this.#serving = kept;
  }

  /** Called once, when this object is made: takes up what ran before. @returns false where nothing is known to run */
  resume(container: Instance): boolean {
    const { primary, fallback, onFault } = this.#parts;
    if (this.isOnFallback && fallback) {
      this.#return.begin();
      fallback.origin.ensure('found running').catch((error: unknown) => onFault('fallback', error));
    }
    if (!container.isRunning) return this.isOnFallback;
    if (container === primary.origin || container === this.current) container.resume();
    // Of an ORIGIN before this one.
    else container.stop('hand over').catch((error: unknown) => onFault('hand over', error));
    return true;
  }

  get serving(): Serving {
    return this.#serving;
  }

  /** Starts nothing. */
  view(): OriginsView {
    const { primary, fallback, afterMs, writes, now } = this.#parts;
    const sides = fallback ? [primary, fallback] : [primary];
    return {
      serving: originStatus(this.#serving, now()),
      fallbackAfterMs: afterMs,
      fallbackWrites: writes,
      origins: sides.map(({ name, origin, breaker }) => ({
        name,
        running: origin.isAlive,
        instanceId: origin.instanceId,
        session: origin.activity?.session.state ?? null,
        circuit: circuitStatus(breaker.status),
      })),
    };
  }

  get isOnFallback(): boolean {
    return this.#serving.name === this.#parts.fallback?.name;
  }

  /** The one that answers now. */
  get current(): Origin {
    return this.#current.origin;
  }

  get activity(): Activity | null {
    return this.current.activity;
  }

  /** Of the road to the one that answers. */
  get road(): BreakerStatus {
    return this.#current.breaker.status;
  }

  /** The one that a write is for. */
  holderOf(caller: string, key: string): Origin {
    return this.#claims.holder(caller, key) ?? this.current;
  }

  get #current(): Side {
    const { primary, fallback } = this.#parts;
    return this.isOnFallback && fallback ? fallback : primary;
  }

  /** Whoever can be had is there then. @throws BridgeError */
  ensure(reason: StartReason): Promise<void> {
    const ready = this.current.ensure(reason);
    if (!this.#parts.fallback || this.isOnFallback) return ready;
    return ready.catch((error: unknown) => {
      if (!isElsewhere(error)) throw error;
      return this.#toFallback(error.context.detail ?? '');
    });
  }

  /** Both sides give the session up. */
  async stop(reason: StopReason): Promise<void> {
    const { primary, fallback } = this.#parts;
    if (this.isOnFallback) this.#enter(primary, null, 'An administrator ended the fallback’s session.');
    await Promise.all([primary.origin.stop(reason), fallback?.origin.stop(reason)]);
  }

  /** Tells whoever is there. */
  send(message: ControlMessage): void {
    this.#parts.primary.origin.send(message);
    this.#parts.fallback?.origin.send(message);
  }

  /** @throws BridgeError; for a write `outcome` `unknown` unless nothing was handed over */
  async forward(request: ForwardRequest, behalf: Behalf): Promise<Response> {
    this.#return.requested();
    let first: BridgeError | undefined;
    for (const side of this.#inOrder(request, behalf)) {
      const release = this.#claim(request, side);
      try {
        if (first && side === this.#parts.fallback && !this.isOnFallback)
          await this.#toFallback(first.context.detail ?? '');
        const answer = await this.#through(side, request, behalf);
        release();
        return answer;
      } catch (error) {
        // What may have been begun stays claimed.
        if (asBridgeError(error).outcome !== 'unknown') release();
        if (!isElsewhere(error)) throw error;
        first ??= error;
      }
    }
    throw first ?? new BridgeError('container_unavailable', 'No origin can be had.');
  }

  /** Before an origin is handed the session: the other one gives it up. Called whenever its channel is opened. */
  async beforeHandover(origin: Origin): Promise<void> {
    const { primary, fallback, now } = this.#parts;
    if (!fallback) return;
    if (origin === primary.origin) {
      if (!this.isOnFallback && this.#takingOver === undefined) return;
      this.#enter(primary, null, `The ${primary.name} is back: it holds the session again.`);
      primary.breaker.succeeded(now());
      await giveUp(fallback.origin);
      return;
    }
    if (this.isOnFallback) return;
    const reason = this.#takingOver;
    if (reason === undefined) throw new BridgeError('container_unavailable', `The ${primary.name} holds the session.`);
    if (primary.origin.activity !== null) await giveUp(primary.origin);
    // The primary may have come up meanwhile.
    if (this.#takingOver !== undefined) this.#enter(fallback, reason, `The fallback holds the session: ${reason}`);
  }

  /** Why an origin must not begin what it asks for: it is another's to begin. */
  refusal(origin: Origin, { id, method, args }: StateCall): StateFailure | undefined {
    if (!this.#parts.fallback || (method !== 'operations.begin' && method !== 'signIn.permit')) return undefined;
    const [write] = args as readonly { readonly caller?: unknown; readonly key?: unknown }[];
    const holder =
      method === 'operations.begin'
        ? this.#claims.holder(String(write?.caller), ofWhole(String(write?.key)))
        : undefined;
    if ((holder ?? this.current) === origin) return undefined;
    return { type: 'failure', id, code: 'draining', detail: 'Another origin holds the session.' };
  }

  /** Who may be asked, one after the other. */
  #inOrder(request: ForwardRequest, { mayStart }: Behalf): readonly Side[] {
    const { primary, fallback, writes } = this.#parts;
    if (!mayStart) return [this.#current];
    if (!fallback || !(request.isRead || writes)) return [primary];
    const write = writeOf(request);
    const claimed = write && this.#claims.holder(...write);
    if (claimed) return [claimed === primary.origin ? primary : fallback];
    return this.isOnFallback ? [fallback, primary] : [primary, fallback];
  }

  #claim(request: ForwardRequest, { origin }: Side): () => void {
    const write = this.#parts.fallback && writeOf(request);
    return write ? this.#claims.take(...write, origin, request.deadlineAtMs) : () => undefined;
  }

  /** Once for all who ask. @throws BridgeError where the fallback cannot be had either */
  #toFallback(reason: string): Promise<void> {
    this.#takingOver ??= reason;
    this.#switching ??= (this.#parts.fallback?.origin.ensure('request') ?? Promise.resolve()).finally(() => {
      this.#switching = undefined;
      this.#takingOver = undefined;
    });
    return this.#switching;
  }

  #enter({ name }: Side, reason: string | null, said: string): void {
    const { kv, journal, now, primary } = this.#parts;
    this.#takingOver = undefined;
    if (name === this.#serving.name) return;
    this.#serving = { name, sinceMs: now(), reason };
    if (name === primary.name) {
      kv.delete(SERVING_KEY);
      this.#return.end();
    } else {
      kv.put(SERVING_KEY, this.#serving);
      this.#return.begin();
    }
    journal.write({ event: 'hand_over', reason: said, instanceId: null, epoch: null, phasesMs: null });
  }

  #letGo(said: string): void {
    const { primary, fallback, onFault } = this.#parts;
    if (!fallback || !this.isOnFallback) return;
    this.#enter(primary, null, said);
    giveUp(fallback.origin).catch((error: unknown) => onFault('fallback', error));
  }

  async #through(side: Side, request: ForwardRequest, { reason, mayStart, starting }: Behalf): Promise<Response> {
    const { origin, name, breaker } = side;
    let isSent = false;
    const answer = await forwardToOrigin(request, {
      name,
      breaker,
      now: this.#parts.now,
      ensure: () => {
        if (!mayStart && !origin.isAlive) throw unavailable('It has ended.');
        if (isSent && origin !== this.current) throw unavailable('Another origin holds the session by now.');
        return starting(() => this.#ready(side, request, reason));
      },
      send: (one, timeoutMs) => {
        isSent = true;
        return origin.forward(one, timeoutMs);
      },
      ended: () => origin.ended(),
      suspect: () => origin.suspect(),
      unanswered: () => origin.unanswered(),
    });
    if (answer.webSocket) return answer;
    const told = new Response(answer.body, answer);
    told.headers.set(HEADER.origin, name);
    return told;
  }

  /** Where there is a fallback, nobody waits for the primary longer than `afterMs`; its start goes on. */
  async #ready({ name, origin }: Side, request: ForwardRequest, reason: StartReason): Promise<void> {
    const { primary, fallback, afterMs, writes } = this.#parts;
    const ready = origin.ensure(reason);
    if (!fallback || origin !== primary.origin || !(request.isRead || writes)) return ready;
    ready.catch(() => undefined);
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(unavailable(`The ${name} was not ready within ${afterMs / 1000} s.`)),
      afterMs,
    );
    try {
      await Promise.race([ready, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}

const unavailable = (detail: string): BridgeError => new BridgeError('container_unavailable', detail);

/** Codes of an origin that had nothing of the request, or of a read that it did not answer. */
const ELSEWHERE: ReadonlySet<ErrorCode> = new Set(['container_unavailable', 'version_mismatch', 'circuit_open']);

/** Whether another origin may be asked. */
function isElsewhere(error: unknown): error is BridgeError {
  const { code, outcome } = asBridgeError(error);
  return error instanceof BridgeError && outcome !== 'unknown' && ELSEWHERE.has(code);
}

/** Of a write that the ledger will know: whose it is, and its key. */
function writeOf({ isRead, headers }: ForwardRequest): [caller: string, key: string] | undefined {
  const key = headers.get(HEADER.idempotencyKey);
  const caller = isRead || key === null ? null : callerId(headers);
  return caller === null || key === null ? undefined : [caller, key];
}

const giveUp = (origin: Origin): Promise<unknown> =>
  Promise.race([origin.stop('hand over').then(() => origin.ended()), scheduler.wait(GIVE_UP_MS)]);
