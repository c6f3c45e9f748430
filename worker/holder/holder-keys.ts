import { type ApiKey, apiKeysSchema } from '../../container/contract/key-records.ts';
import type { ApiKeys } from '../../container/state/api-keys.ts';
import { doorConfig } from '../config.ts';
import { ownBroker } from '../own-place.ts';
import { bridgeOf, keeperOf } from '../stubs.ts';

const KEYS_KEY = 'bridge:keys';
/** As long as a door goes on with the keys that it has. */
const FRESH_MS = 4_000;

export interface HolderKeysParts {
  readonly env: Env;
  readonly kv: Pick<SyncKvStorage, 'get' | 'put'>;
  /** The object's own name. */
  readonly name: string | undefined;
  readonly keys: ApiKeys;
  readonly now: () => number;
  readonly onFault: (what: string, error: unknown) => void;
}

/**
 * The keys of all brokers live in one Durable Object; the objects of the other brokers go by what it told last. It tells
 * them of every change; that they heard it is not relied on, so they ask too.
 */
export class HolderKeys {
  readonly #parts: HolderKeysParts;
  readonly #keeps: boolean;
  #askedAtMs = -Infinity;
  #asking: Promise<void> | undefined;

  constructor(parts: HolderKeysParts) {
    this.#parts = parts;
    const { env, kv, keys } = parts;
    const configured = apiKeysSchema.safeParse(env.BRIDGE_API_KEYS);
    this.#keeps = isKeeper(parts);
    if (!this.#keeps) keys.follow(JSON.parse(kv.get<string>(KEYS_KEY) ?? '[]') as readonly ApiKey[]);
    // The door tells of a variable that cannot be read; nobody gets past it.
    else if (configured.success) keys.bootstrap(configured.data);
  }

  /** Never rejects: while the keeper is not to be had, what it told last counts; no key can be changed meanwhile. */
  async fresh(): Promise<void> {
    const { env, now, onFault } = this.#parts;
    if (this.#keeps || Math.abs(now() - this.#askedAtMs) < FRESH_MS) return;
    this.#asking ??= keeperOf(env, doorConfig(env))
      .apiKeys([])
      .then((text) => this.told(text))
      .catch((error: unknown) => onFault('keys', error))
      .finally(() => (this.#asking = undefined));
    await this.#asking;
  }

  /** Every key that opens something, for the doors, as JSON. */
  tell(): string {
    return JSON.stringify([...this.#parts.keys.active().values()] satisfies ApiKey[]);
  }

  told(text: string): void {
    const { kv, keys, now } = this.#parts;
    if (this.#keeps) return;
    this.#askedAtMs = now();
    if (kv.get<string>(KEYS_KEY) !== text) kv.put(KEYS_KEY, text);
    keys.follow(JSON.parse(text) as readonly ApiKey[]);
  }

  /** A key changed: where it was changed, the other brokers' objects are told. */
  async tellOthers(): Promise<void> {
    const { env, name } = this.#parts;
    if (!this.#keeps) return;
    const config = doorConfig(env);
    const own = ownBroker(name, config);
    const text = this.tell();
    const others = config.brokers.filter(({ id }) => id !== own.id);
    await Promise.allSettled(others.map((broker) => bridgeOf(env, config, broker).keysTold(text)));
  }
}

function isKeeper({ env, name }: HolderKeysParts): boolean {
  try {
    const config = doorConfig(env);
    return ownBroker(name, config).id === config.keeper.id;
  } catch {
    // Without a valid configuration nobody gets here.
    return true;
  }
}
