import type { StateCall, StateFailure, StateResult } from '../contract/control.ts';
import { BridgeError, ERRORS, type ErrorCode } from '../contract/errors.ts';
import type { StateApi } from './state-api.ts';
import { STATE_METHODS, type StateMethod } from './state-methods.ts';

/** Longest wait for an answer of the state: SQLite answers in a millisecond; a hop over the network in a hundred. */
const CALL_TIMEOUT_MS = 5000;

/** Keys are administered where the state is: the container cannot make itself one. */
const refused = (): Promise<never> => Promise.reject(new BridgeError('route_not_found', 'The Worker answers this.'));
const NO_KEYS: StateApi['keys'] = {
  list: refused,
  create: refused,
  change: refused,
  rotate: refused,
  finishRotation: refused,
  revoke: refused,
};

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: BridgeError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * `StateApi` over a channel that comes and goes. While it is open each call is one message and one answer; calls in
 * flight when it closes fail, calls while it is closed fail at once, both with `state_unavailable`: whether a write that
 * was under way took hold is then not known.
 */
export class RemoteState implements StateApi {
  readonly cost: StateApi['cost'] = { monthToDate: refused };
  readonly signIn: StateApi['signIn'];
  readonly sessions: StateApi['sessions'];
  readonly operations: StateApi['operations'];
  readonly journal: StateApi['journal'];
  readonly symbols: StateApi['symbols'];
  readonly figures: StateApi['figures'];
  readonly margin: StateApi['margin'];
  readonly keys: StateApi['keys'] = NO_KEYS;
  /** Resolves with the first channel: before it nothing is known of epochs and permits. */
  readonly ready: Promise<void>;
  readonly #onReady: () => void;
  readonly #timeoutMs: number;
  readonly #waiting = new Map<number, Waiting>();
  #send: ((call: StateCall) => void) | undefined;
  #nextId = 1;

  constructor(options: { timeoutMs?: number } = {}) {
    this.#timeoutMs = options.timeoutMs ?? CALL_TIMEOUT_MS;
    ({ promise: this.ready, resolve: this.#onReady } = Promise.withResolvers<void>());
    this.signIn = this.#group('signIn');
    this.sessions = this.#group('sessions');
    this.operations = this.#group('operations');
    this.journal = this.#group('journal');
    this.symbols = this.#group('symbols');
    this.figures = this.#group('figures');
    this.margin = this.#group('margin');
  }

  /** A channel is open and handed over. Calls in flight on one before it fail. */
  attach(send: (call: StateCall) => void): void {
    this.detach('The channel to the bridge’s memory was replaced.');
    this.#send = send;
    this.#onReady();
  }

  /** The channel closed. */
  detach(reason = 'The channel to the bridge’s memory closed.'): void {
    this.#send = undefined;
    for (const [id, waiting] of this.#waiting) {
      this.#waiting.delete(id);
      clearTimeout(waiting.timer);
      waiting.reject(new BridgeError('state_unavailable', reason));
    }
  }

  /** An answer came over the channel. */
  receive(message: StateResult | StateFailure): void {
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    this.#waiting.delete(message.id);
    clearTimeout(waiting.timer);
    if (message.type === 'result') waiting.resolve(message.value);
    else
      waiting.reject(
        new BridgeError(
          Object.hasOwn(ERRORS, message.code) ? (message.code as ErrorCode) : 'internal_error',
          message.detail,
        ),
      );
  }

  #call(method: StateMethod, args: readonly unknown[]): Promise<unknown> {
    const send = this.#send;
    if (!send) return Promise.reject(new BridgeError('state_unavailable', 'The bridge’s memory is not connected yet.'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new BridgeError('state_unavailable', `The bridge’s memory did not answer in ${this.#timeoutMs} ms.`));
      }, this.#timeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
      try {
        send({ type: 'call', id, method, args });
      } catch (error) {
        this.#waiting.delete(id);
        clearTimeout(timer);
        reject(
          new BridgeError('state_unavailable', { detail: 'The channel to the bridge’s memory broke.', cause: error }),
        );
      }
    });
  }

  /** One object per group: each method of the table becomes a call of the same name. */
  #group<Group extends keyof StateApi>(group: Group): StateApi[Group] {
    const methods: Record<string, (...args: unknown[]) => Promise<unknown>> = {};
    for (const name of Object.keys(STATE_METHODS) as StateMethod[]) {
      const [owner, method = ''] = name.split('.');
      if (owner === group) methods[method] = (...args) => this.#call(name, args);
    }
    // The table is typed to hold every method of every group.
    return methods as unknown as StateApi[Group];
  }
}
