import { HEADER } from '../../container/contract/headers.ts';
import type { PlainAnswer } from '../../container/state/operation-view.ts';
import type { BridgeState } from '../../container/state/bridge-state.ts';
import { placeBefore } from '../placement.ts';

/** Name of the object that was left behind when `INSTANCE_VERSION` was raised. */
const SUCCEEDED_KEY = 'bridge:succeeded';
/** Another object holds the session. */
const RETIRED_KEY = 'bridge:retired';
/** How long the object before this one may take to say what it knows. */
const BEFORE_TIMEOUT_MS = 2_000;

/** What one object may ask of the one that it succeeded. */
export interface Predecessor {
  retire(): Promise<void>;
  knownWrite(caller: string, key: string): Promise<PlainAnswer | null>;
}

export interface SuccessionParts {
  readonly kv: Pick<SyncKvStorage, 'get' | 'put' | 'delete'>;
  /** The object's own name. */
  readonly name: string | undefined;
  /** Whether the object remembers an earlier life. */
  readonly hasLived: boolean;
  readonly state: BridgeState;
  readonly objectOf: (name: string) => Predecessor;
  readonly onFault: (what: string, error: unknown) => void;
}

/**
 * Raising `INSTANCE_VERSION` makes an object of another name the holder of the session, and leaves the memory of the one
 * before behind. The new one begins with trading halted, ends the other's container, and asks it about writes whose key
 * it may know, until an administrator resumes trading.
 */
export class Succession {
  readonly #parts: SuccessionParts;
  readonly #before: string | undefined;
  #isRetired: boolean;

  constructor(parts: SuccessionParts) {
    this.#parts = parts;
    this.#before = placeBefore(parts.name);
    this.#isRetired = parts.kv.get(RETIRED_KEY) !== undefined;
  }

  /** Called once in the life of the object in memory; acts once in its whole life. */
  async begin(): Promise<void> {
    const { kv, hasLived, state, objectOf, onFault } = this.#parts;
    if (this.#before === undefined || hasLived || kv.get(SUCCEEDED_KEY) !== undefined) return;
    kv.put(SUCCEEDED_KEY, this.#before);
    state.distrust('INSTANCE_VERSION was raised: this bridge begins without its memory.');
    await objectOf(this.#before)
      .retire()
      .catch((error: unknown) => onFault('retire', error));
  }

  /** Another object took over; a request makes this one the holder again (the version was lowered). */
  get isRetired(): boolean {
    return this.#isRetired;
  }

  set isRetired(isRetired: boolean) {
    if (isRetired === this.#isRetired) return;
    this.#isRetired = isRetired;
    if (isRetired) this.#parts.kv.put(RETIRED_KEY, true);
    else this.#parts.kv.delete(RETIRED_KEY);
  }

  /** While this memory is not trusted: what the object before this one knows of a write. */
  async toldBefore(caller: string | null, key: string | null): Promise<Response | undefined> {
    const { state, objectOf, onFault } = this.#parts;
    if (key === null || caller === null || this.#before === undefined || !state.operations.isDistrusted)
      return undefined;
    // One that is stuck may be why it was left behind: it gets a moment, and trading is halted anyway.
    const known = objectOf(this.#before).knownWrite(caller, key);
    const told = await Promise.race([known, scheduler.wait(BEFORE_TIMEOUT_MS)]).catch((error: unknown) =>
      onFault('object before', error),
    );
    if (!told) return undefined;
    const headers = { ...told.headers, [HEADER.idempotencyReplayed]: 'true' };
    return new Response(told.body, { status: told.status, headers });
  }
}
