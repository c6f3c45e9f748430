import { BridgeError, toProblem } from '../../contract/errors.ts';
import { budgetOf } from '../../contract/keys.ts';
import { HEADER } from '../../contract/headers.ts';
import { SessionError, type CallTimings } from '../../session/upstream.ts';
import { operationView, storedAnswer, type OperationView } from '../../state/operation-view.ts';
import type { BeginDecision, Operation, OperationChange, StateApi } from '../../state/state-api.ts';
import type { RouteAnswer, RouteContext } from '../handler.ts';
import { askedOf } from './asked.ts';
import { reservedOf, type Reservation } from './limits.ts';
import { fingerprinter, type Fingerprint } from './fingerprint.ts';
import type { OperationRequest } from './operation-request.ts';
import { asRouteAnswer, knownAnswer, notSent, rawAnswer } from './operation-answers.ts';
import type { Settlement } from './settlement.ts';
import type { Tags } from './tags.ts';

/** Given to whoever sends: until `onDispatch` the operation can be called off, after it never. */
export interface SendHooks {
  /** The operation's tag, for the comment. */
  readonly tag: string;
  /** Nothing waits for an answer longer than this. */
  readonly deadlineAtMs: number;
  readonly signal: AbortSignal;
  readonly timings?: CallTimings | undefined;
  readonly lane?: string | undefined;
  readonly onDispatch: () => void;
  /** The dealer has it: what takes long from here on is `pending`, not `unknown`. */
  readonly onQueued?: () => void;
}

/** A mutation, checked and ready to be sent. */
export interface Mutation<Body extends object = object> {
  readonly kind: string;
  readonly login: number | null;
  /** Counts as trading: the kill switch and the orders per minute apply. */
  readonly trading: boolean;
  readonly request: OperationRequest;
  /** What it takes of the key's limits, and which halts concern it. */
  readonly reserve?: Reservation;
  /** @throws SessionError · BridgeError; what is thrown after `onDispatch` leaves the outcome unknown */
  send(hooks: SendHooks): Promise<Settlement<Body>>;
}

/** What makes a repetition the same request. */
export interface RequestIdentity {
  readonly routeId: string;
  readonly params: unknown;
  readonly query: unknown;
  readonly bodyText: string;
  /** Answers are the broker's own text, not ours. */
  readonly raw?: boolean;
}

export interface OperationRunnerParts {
  readonly state: StateApi;
  readonly tags: Tags;
  readonly instanceId: string;
  readonly now: () => number;
  /** A row is pending or unknown. */
  readonly onUnsettled: () => void;
  readonly onError: (error: unknown) => void;
}

/**
 * How long an answer is waited for in the background, after its caller was told 202. Longer than any server takes that
 * will answer at all; the session's own heartbeat ends connections that are dead.
 */
const ANSWER_WAIT_MS = 240_000;
/** How long an answer waits for its row: far longer than a write takes, and short against any deadline. */
const ROW_WAIT_MS = 250;
/** Between tries to write to a state that cannot be reached. */
const WRITE_RETRY_MS = 500;

/**
 * The one road of every mutation: row written, sent at most once, settled, answered. The caller's deadline releases the
 * caller; what was sent is awaited in the background.
 */
export class OperationRunner {
  readonly #parts: OperationRunnerParts;
  readonly #fingerprint: Fingerprint;
  /** Operations of this process that are not settled yet, and how their callers are released: nobody else looks them up. */
  readonly #running = new Map<string, () => void>();
  #closed = false;

  constructor(parts: OperationRunnerParts) {
    this.#parts = parts;
    this.#fingerprint = fingerprinter(() => parts.state.operations.fingerprintSecret());
  }

  isRunning(caller: string, key: string): boolean {
    return this.#running.has(runningKey(caller, key));
  }

  /** Operations on their way. */
  get running(): number {
    return this.#running.size;
  }

  /** The process ends: whoever waits for an operation is told the way to it, as at his deadline. */
  release(): void {
    for (const release of this.#running.values()) release();
  }

  /** Background writes are given up; rows that are not settled are the next process's. */
  close(): void {
    this.#closed = true;
  }

  /** `prepare` checks everything and may read, but sends nothing. @throws BridgeError */
  async run<Body extends object>(
    context: RouteContext,
    identity: RequestIdentity,
    prepare: () => Promise<Mutation<Body>>,
  ): Promise<Written<Body>> {
    const { caller } = context;
    const key = requireKey(context);
    const fingerprint = await this.#fingerprint(identity);
    const recalled = this.#parts.state.operations.recall(caller.id, key, fingerprint);
    const known = await beforeDeadline(recalled, context, this.#parts.now);
    if (known && known.kind !== 'started') return written<Body>(knownAnswer(known, identity.raw === true));
    const mutation = await prepare();
    const tag = await this.#parts.tags.next();
    const decision = await this.#begin(context, { key, fingerprint, tag, mutation, asked: askedOf(identity) });
    if (decision.kind !== 'started') return written<Body>(knownAnswer(decision, identity.raw === true));
    return written<Body>(await this.#execute(context, decision.operation, mutation, identity.raw === true));
  }

  async #begin(
    context: RouteContext,
    row: { key: string; fingerprint: string; tag: string; mutation: Mutation; asked: string },
  ): Promise<BeginDecision> {
    const { state, instanceId, now } = this.#parts;
    const { caller, requestId, deadlineAtMs } = context;
    const { key, fingerprint, tag, mutation, asked } = row;
    const address = context.address();
    const begun = state.operations.begin({
      caller: caller.id,
      key,
      kind: mutation.kind,
      tag,
      login: mutation.login,
      requestId,
      ...(address === undefined ? {} : { address }),
      asked,
      fingerprint,
      request: JSON.stringify(mutation.request),
      instanceId,
      deadlineAtMs,
      trading: mutation.trading,
      budget: budgetOf(caller),
      ...reservedOf(mutation, caller, now()),
    });
    try {
      return await beforeDeadline(begun, context, now);
    } catch (error) {
      // Told as not sent: a row that is written late goes again.
      if (error instanceof BridgeError && error.code === 'deadline_exceeded')
        void begun
          .then(({ kind }) =>
            kind === 'started' ? this.#durably(() => state.operations.drop(caller.id, key, tag)) : undefined,
          )
          .catch((failure: unknown) => this.#parts.onError(failure));
      // The row may have been written before the channel broke: nothing was sent, so it must go.
      if (error instanceof BridgeError && error.code === 'state_unavailable')
        void this.#durably(() => state.operations.drop(caller.id, key, tag));
      throw error;
    }
  }

  #execute(context: RouteContext, operation: Operation, mutation: Mutation, raw: boolean): Promise<RouteAnswer> {
    const { now } = this.#parts;
    const callOff = new AbortController();
    let dispatched = false;
    let queued = false;
    const hooks: SendHooks = {
      tag: operation.tag,
      deadlineAtMs: now() + ANSWER_WAIT_MS,
      signal: callOff.signal,
      timings: context.timings,
      lane: context.lane,
      onDispatch: () => {
        dispatched = true;
      },
      onQueued: () => {
        queued = true;
      },
    };
    const released = Promise.withResolvers<RouteAnswer>();
    const release = (): void => {
      if (dispatched)
        void this.#releasedAnswer(operation, queued ? 'pending' : 'unknown', raw).then(
          released.resolve,
          released.reject,
        );
      else callOff.abort();
    };
    const timer = setTimeout(release, Math.max(0, context.deadlineAtMs - now()));
    context.signal.addEventListener('abort', release, { once: true });
    if (context.signal.aborted) release();
    const id = runningKey(operation.caller, operation.key);
    this.#running.set(id, release);
    const work = this.#send(context, operation, mutation, { hooks, raw, dispatched: () => dispatched }).finally(() => {
      this.#running.delete(id);
      clearTimeout(timer);
      context.signal.removeEventListener('abort', release);
    });
    // A caller that was released gets no second answer.
    work.catch(() => undefined);
    return Promise.race([work, released.promise]);
  }

  async #send(
    context: RouteContext,
    operation: Operation,
    mutation: Mutation,
    flight: { hooks: SendHooks; raw: boolean; dispatched: () => boolean },
  ): Promise<RouteAnswer> {
    let settlement: Settlement;
    try {
      settlement = await mutation.send(flight.hooks);
    } catch (error) {
      if (!flight.dispatched()) {
        const { caller, key, tag } = operation;
        await this.#durably(() => this.#parts.state.operations.drop(caller, key, tag));
        throw notSent(error);
      }
      settlement = { state: 'unknown', reason: error instanceof SessionError ? error.message : 'No answer came.' };
    }
    try {
      if (settlement.state === 'unknown') return await this.#unknown(operation, mutation, settlement, flight.raw);
      return await this.settle(operation, settlement, context.requestId);
    } catch (error) {
      if (settlement.state === 'refused' && error === settlement.error) throw error;
      // A fault of ours after the dispatch: whatever is said, it is not that nothing was sent.
      this.#parts.onError(error);
      this.#parts.onUnsettled();
      throw new BridgeError('outcome_unknown', {
        detail: 'It was sent; its answer could not be worked out.',
        cause: error,
      });
    }
  }

  async #unknown(
    operation: Operation,
    mutation: Mutation,
    { raw: told, body, reason }: Extract<Settlement, { state: 'unknown' }>,
    raw: boolean,
  ): Promise<RouteAnswer> {
    const nowMs = this.#parts.now();
    // It was sent by now, if ever: the books need not stay empty for longer than from here.
    const said: OperationRequest = { ...mutation.request, sentBeforeMs: nowMs, reason };
    const request = JSON.stringify(said);
    await this.#move(operation, { to: 'unknown', request });
    this.#parts.onUnsettled();
    if (told) return rawAnswer(told);
    const answer = asRouteAnswer(storedAnswer({ ...operation, request, state: 'unknown', updatedAtMs: nowMs }), raw);
    return body && !raw ? { ...answer, body: { ...(answer.body as object), ...body } } : answer;
  }

  /** Writes how an operation ended and makes its answer. @throws BridgeError where it was refused */
  async settle(
    operation: Operation,
    settlement: Exclude<Settlement, { state: 'unknown' }>,
    requestId: string,
  ): Promise<RouteAnswer> {
    const { now } = this.#parts;
    const { raw } = settlement;
    if (raw) {
      await this.#move(operation, { to: settlement.state, answer: { status: raw.status, body: raw.text } });
      return rawAnswer(raw);
    }
    const settledAtMs = now();
    if (settlement.state === 'refused') {
      const { error } = settlement;
      const body = JSON.stringify(toProblem(error, requestId));
      await this.#move(operation, { to: 'refused', answer: { status: error.status, body } });
      throw error;
    }
    const to = settlement.as ?? 'done';
    const login = operation.login ?? openedLogin(settlement.body);
    const settled: Operation = { ...operation, login, state: to, settledAtMs, updatedAtMs: settledAtMs };
    const body = { operation: operationView(settled), ...settlement.body };
    const answer = { status: settlement.status, body: JSON.stringify(body) };
    await this.#move(operation, { to, answer, ...(login === null ? {} : { login }) });
    return { status: settlement.status, body };
  }

  /** The caller's time is over and the request was sent: the row says so, and the answer is awaited in the background. */
  async #releasedAnswer(operation: Operation, to: 'pending' | 'unknown', raw: boolean): Promise<RouteAnswer> {
    const { state, now } = this.#parts;
    const { caller, key } = operation;
    const moved = state.operations
      .move(caller, key, { to })
      .then((wasMoved) => (wasMoved ? state.operations.get(caller, key) : null))
      .catch(() => null);
    void moved.then(() => this.#parts.onUnsettled());
    // A memory that is slow or gone is not waited for: the deadline is over.
    const row = await Promise.race([moved, new Promise<null>((resolve) => setTimeout(resolve, ROW_WAIT_MS, null))]);
    return asRouteAnswer(storedAnswer(row ?? { ...operation, state: to, updatedAtMs: now() }), raw);
  }

  #move(operation: Operation, change: OperationChange): Promise<void> {
    return this.#durably(() => this.#parts.state.operations.move(operation.caller, operation.key, change));
  }

  /**
   * Waited for as long as a memory that is well takes; one that is locked or gone is written to in the background until it
   * can be or the process ends (the row is then settled by its successor, from the books).
   */
  async #durably(write: () => Promise<unknown>): Promise<void> {
    const first = write().catch((error: unknown) => {
      if (!(error instanceof BridgeError) || error.code !== 'state_unavailable') throw error;
      void this.#again(write);
    });
    const late = new Promise<'late'>((resolve) => setTimeout(resolve, ROW_WAIT_MS, 'late').unref());
    if ((await Promise.race([first, late])) === 'late') first.catch((error: unknown) => this.#parts.onError(error));
  }

  async #again(write: () => Promise<unknown>): Promise<void> {
    while (!this.#closed) {
      await new Promise((resolve) => setTimeout(resolve, WRITE_RETRY_MS).unref());
      try {
        await write();
        return;
      } catch (error) {
        if (!(error instanceof BridgeError) || error.code !== 'state_unavailable') return;
      }
    }
  }
}

/** A write is answered with what it settled to, beside its operation; or, where that is not known, the operation alone. */
export type Written<Body extends object> = RouteAnswer<Partial<Body> & { readonly operation?: OperationView }>;

/** The fingerprint holds the route: what a row keeps was written by the same route. */
const written = <Body extends object>(answer: RouteAnswer): Written<Body> => answer as Written<Body>;

/** The login that the broker gave an account. */
const openedLogin = ({ login }: { readonly login?: unknown }): number | null =>
  typeof login === 'number' ? login : null;

const runningKey = (caller: string, key: string): string => `${caller}\n${key}`;

/** @throws BridgeError `idempotency_key_required` */
export function requireKey(context: RouteContext): string {
  if (context.idempotencyKey !== undefined) return context.idempotencyKey;
  throw new BridgeError('idempotency_key_required', {
    detail: 'A write needs an Idempotency-Key header.',
    field: HEADER.idempotencyKey,
    expected: '1–255 visible ASCII characters',
  });
}

/** Nobody waits for the memory longer than his deadline. @throws BridgeError `deadline_exceeded` */
async function beforeDeadline<T>(work: Promise<T>, { deadlineAtMs }: RouteContext, now: () => number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  // What fails later has nobody left to tell.
  work.catch(() => undefined);
  const late = new Promise<never>((_, reject) => {
    const refuse = (): void =>
      reject(
        new BridgeError('deadline_exceeded', 'The bridge’s memory did not answer before the deadline of the request.'),
      );
    timer = setTimeout(refuse, Math.max(0, deadlineAtMs - now()));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
