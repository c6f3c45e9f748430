import { asBridgeError } from '../../contract/errors.ts';
import { isSettled, OPERATION_TRANSITIONS } from '../../state/operation-states.ts';
import type { Operation, StateApi } from '../../state/state-api.ts';
import type { BookLooks } from './book-looks.ts';
import { parseOperationRequest, type OperationRequest } from './operation-request.ts';
import type { OperationRunner } from './operation-runner.ts';

export interface SettlePolicy {
  /**
   * How long after the last moment of sending the books must stay empty. Longer than the dealer's time-out: 3 minutes
   * un-polled (mt5-webapi §3.7).
   */
  readonly horizonMs: number;
  /** Waits before the first looks; later ones are a minute apart. */
  readonly lookDelaysMs: readonly number[];
}

export const SETTLE_POLICY: SettlePolicy = {
  horizonMs: 200_000,
  lookDelaysMs: [250, 2000, 5000, 15_000, 30_000],
};

const LATER_LOOKS_MS = 60_000;
/** After a look that failed, or found something under way. */
const RETRY_MS = 3000;
const LOOK_TIMEOUT_MS = 20_000;
const ROWS_AT_ONCE = 500;
const LOOKS_AT_ONCE = 4;
/** Rows that others left, whenever they did, are found within this time, if nobody asks. */
const IDLE_RESCAN_MS = 30_000;
/** A row of this process that is `sending` so long and that nothing here works on: its end could not be written. */
const FORGOTTEN_AFTER_MS = 10_000;

export interface SettlerParts {
  readonly state: StateApi;
  readonly instanceId: string;
  readonly runner: OperationRunner;
  readonly looks: BookLooks;
  readonly now: () => number;
  readonly policy: SettlePolicy;
  /** How many operations are pending or unknown: they keep the container awake. */
  readonly onUnsettled: (count: number) => void;
  readonly onError: (error: unknown) => void;
}

/** Finds out, from the broker's books, what became of operations whose outcome nobody knows. */
export class Settler {
  readonly #parts: SettlerParts;
  /** Looks that were no verdict: when they were. */
  readonly #triedAtMs = new Map<string, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAtMs = Infinity;
  #scanning: Promise<void> | undefined;
  readonly #closing = new AbortController();

  constructor(parts: SettlerParts) {
    this.#parts = parts;
  }

  /** Takes over what earlier instances left, and goes on until closed. */
  start(): void {
    this.#wakeAt(this.#parts.now());
  }

  /** A row became unknown. */
  nudge(): void {
    this.#wakeAt(this.#parts.now() + (this.#parts.policy.lookDelaysMs[0] ?? 0));
  }

  /** A look that is under way is given up: the next process takes it. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#scanning;
  }

  /** One look now, whatever the schedule. Answers the row as it stands after it. */
  async reconcile(operation: Operation): Promise<Operation> {
    const { state, runner } = this.#parts;
    const { caller, key } = operation;
    const final = OPERATION_TRANSITIONS[operation.state].length === 0;
    if (!final && !runner.isRunning(caller, key)) {
      if (operation.state === 'sending' || operation.state === 'pending')
        await state.operations.move(caller, key, { to: 'unknown' });
      const row = (await state.operations.get(caller, key)) ?? operation;
      await this.#look(row);
    }
    return (await state.operations.get(caller, key)) ?? operation;
  }

  #wakeAt(atMs: number): void {
    if (this.#closing.signal.aborted || atMs >= this.#timerAtMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    this.#timer = setTimeout(
      () => {
        this.#timerAtMs = Infinity;
        const before = this.#scanning ?? Promise.resolve();
        this.#scanning = before.then(() => this.#scan());
      },
      Math.max(0, atMs - this.#parts.now()),
    );
  }

  async #scan(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const { state, instanceId, runner, now } = this.#parts;
    try {
      await state.operations.orphan(instanceId);
      await this.#takeForgotten();
      const rows = await state.operations.unsettled(ROWS_AT_ONCE);
      const open = rows.filter((row) => !isSettled(row.state));
      this.#parts.onUnsettled(open.length);
      const due = rows.filter((row) => !runner.isRunning(row.caller, row.key) && this.#dueAtMs(row) <= now());
      for (let at = 0; at < due.length && !this.#closing.signal.aborted; at += LOOKS_AT_ONCE)
        await Promise.all(due.slice(at, at + LOOKS_AT_ONCE).map((row) => this.#lookSafely(row)));
      const waiting = due.length > 0 ? await state.operations.unsettled(ROWS_AT_ONCE) : rows;
      this.#parts.onUnsettled(waiting.filter((row) => !isSettled(row.state)).length);
      this.#forget(waiting);
      const others = waiting.filter((row) => !runner.isRunning(row.caller, row.key)).map((row) => this.#dueAtMs(row));
      this.#wakeAt(Math.max(now() + 10, Math.min(now() + IDLE_RESCAN_MS, ...others)));
    } catch (error) {
      this.#parts.onError(error);
      this.#wakeAt(now() + RETRY_MS);
    }
  }

  async #takeForgotten(): Promise<void> {
    const { state, runner, now } = this.#parts;
    const { items } = await state.operations.list({ state: 'sending', limit: ROWS_AT_ONCE });
    for (const { caller, key, updatedAtMs } of items)
      if (!runner.isRunning(caller, key) && updatedAtMs < now() - FORGOTTEN_AFTER_MS)
        await state.operations.move(caller, key, { to: 'unknown' });
  }

  #dueAtMs(row: Operation): number {
    const { lookDelaysMs, horizonMs } = this.#parts.policy;
    const tried = this.#triedAtMs.get(idOf(row));
    const retryAtMs = tried === undefined ? 0 : tried + RETRY_MS;
    const lastMs = row.lastLookAtMs ?? row.updatedAtMs;
    if (row.state === 'not_executed') return Math.max(retryAtMs, lastMs + LATER_LOOKS_MS);
    const delayMs = lookDelaysMs[row.emptyLooks] ?? LATER_LOOKS_MS;
    const horizonAtMs = (parseOperationRequest(row.request)?.sentBeforeMs ?? row.createdAtMs) + horizonMs;
    // The look that decides comes as soon as it may.
    const nextMs = lastMs < horizonAtMs ? Math.min(lastMs + delayMs, Math.max(lastMs, horizonAtMs)) : lastMs + delayMs;
    return Math.max(retryAtMs, nextMs);
  }

  async #lookSafely(row: Operation): Promise<void> {
    try {
      await this.#look(row);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#triedAtMs.set(idOf(row), this.#parts.now());
      this.#parts.onError(error);
    }
  }

  async #look(row: Operation): Promise<void> {
    const { state, looks, now } = this.#parts;
    const { caller, key } = row;
    // Queued at the dealer by a process that is gone: its results went with its connection.
    if (row.state === 'pending') await state.operations.move(caller, key, { to: 'unknown' });
    const request = parseOperationRequest(row.request);
    if (!request) {
      await this.#unresolved(row, 'The stored request cannot be read by this version.');
      return;
    }
    const context = { deadlineAtMs: now() + LOOK_TIMEOUT_MS, signal: this.#closing.signal };
    const look = await looks.look(request, row, context);
    if (look.verdict === 'wait') this.#triedAtMs.set(idOf(row), now());
    else if (look.verdict === 'unclear') await this.#unresolved(row, look.reason);
    else if (look.verdict === 'empty') await this.#empty(row, request);
    else
      await this.#parts.runner
        .settle({ ...row, state: 'unknown' }, look.settlement, 'reconciled')
        .catch((error: unknown) => asBridgeError(error));
  }

  /** Two empty looks, the last one after the horizon, are the proof that it was not executed. */
  async #empty(row: Operation, request: OperationRequest): Promise<void> {
    const { state, now, policy } = this.#parts;
    const proven = row.emptyLooks >= 1 && now() >= request.sentBeforeMs + policy.horizonMs;
    const to = row.state === 'not_executed' || proven ? 'not_executed' : 'unknown';
    await state.operations.move(row.caller, row.key, { to, emptyLook: true });
  }

  async #unresolved(row: Operation, reason: string): Promise<void> {
    const body = JSON.stringify({ detail: reason });
    await this.#parts.state.operations.move(row.caller, row.key, { to: 'unresolved', answer: { status: 202, body } });
  }

  #forget(rows: readonly Operation[]): void {
    const ids = new Set(rows.map(idOf));
    for (const id of this.#triedAtMs.keys()) if (!ids.has(id)) this.#triedAtMs.delete(id);
  }
}

const idOf = (row: Operation): string => `${row.caller}\n${row.key}`;
