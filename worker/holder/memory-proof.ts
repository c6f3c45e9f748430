import { asBridgeError } from '../../container/contract/errors.ts';
import type { BridgeState } from '../../container/state/bridge-state.ts';

/** Anybody may ask whether the bridge is ready; a row is written for it so often at most. */
const PROVE_EVERY_MS = 10_000;

/** Whether the Durable Object's storage takes what must not be forgotten. */
export class MemoryProof {
  readonly #state: Pick<BridgeState, 'prove'>;
  #provenAtMs = -Infinity;

  constructor(state: Pick<BridgeState, 'prove'>) {
    this.#state = state;
  }

  /** @returns why nothing can be written down now; null = it can */
  fault(nowMs: number): string | null {
    if (Math.abs(nowMs - this.#provenAtMs) < PROVE_EVERY_MS) return null;
    try {
      this.#state.prove();
      this.#provenAtMs = nowMs;
      return null;
    } catch (error) {
      return asBridgeError(error).context.detail;
    }
  }
}
