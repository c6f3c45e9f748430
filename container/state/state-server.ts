import type { StateCall, StateFailure, StateResult } from '../contract/control.ts';
import { asBridgeError } from '../contract/errors.ts';
import type { StateApi } from './state-api.ts';
import { isStateMethod, STATE_METHODS } from './state-methods.ts';

/** Serves calls that come over the control channel. Never throws: every call gets an answer. */
export class StateServer {
  readonly #state: StateApi;
  readonly #onError: (method: string, error: unknown) => void;

  /** `onError` hears of faults that are not answers (for the log); the caller gets `internal_error` without detail. */
  constructor(state: StateApi, onError: (method: string, error: unknown) => void = () => {}) {
    this.#state = state;
    this.#onError = onError;
  }

  async serve(call: StateCall): Promise<StateResult | StateFailure> {
    try {
      return { type: 'result', id: call.id, value: await this.#call(call) };
    } catch (error) {
      const known = asBridgeError(error);
      if (known.code === 'internal_error') this.#onError(call.method, error);
      return { type: 'failure', id: call.id, code: known.code, detail: known.context.detail };
    }
  }

  async #call(call: StateCall): Promise<unknown> {
    if (!isStateMethod(call.method)) throw new Error(`no method ${call.method.slice(0, 100)}`);
    const parsed = STATE_METHODS[call.method].safeParse(call.args);
    if (!parsed.success) throw new Error(`bad arguments: ${parsed.error.message}`);
    const [group = '', method = ''] = call.method.split('.');
    const target = this.#state[group as keyof StateApi] as unknown as Record<
      string,
      (...args: unknown[]) => Promise<unknown>
    >;
    // `undefined` is no JSON: a method without a result answers null.
    return (await target[method]?.(...parsed.data)) ?? null;
  }
}
