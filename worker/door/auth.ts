import { HEADER } from '../../container/contract/headers.ts';
import {
  type Caller,
  hashKey,
  presentedKey,
  SESSION_TOKEN_PREFIX,
  unauthenticated,
} from '../../container/contract/keys.ts';
import type { KeyRing } from '../../container/contract/key-records.ts';
import { callerOfSession } from '../../container/state/consumer-session-view.ts';
import type { ConsumerSession } from '../../container/state/state-api.ts';

/** 256 bits in base64url. Anything else is not worth a look into the Durable Object. */
const SESSION_TOKEN = new RegExp(`^${SESSION_TOKEN_PREFIX}[A-Za-z0-9_-]{43}$`);

/** Hashes of keys that opened this door, by the key: so that a caller's next request need not wait for its hash. */
const hashes = new Map<string, string>();
const MOST_HASHES = 1_000;

/**
 * Who calls. API keys are found here by hash; a trader's token is looked up in the Durable Object's SQLite, which wakes no
 * container.
 * @throws BridgeError `unauthenticated` · `address_not_allowed` · `broker_not_allowed`
 */
export async function authenticate(
  headers: Headers,
  keys: () => Promise<KeyRing>,
  { address, broker }: { readonly address: string | undefined; readonly broker: string },
  findSession: (tokenHash: string) => Promise<ConsumerSession | null>,
): Promise<Caller> {
  const presented = presentedKey(headers.get(HEADER.authorization), headers.get(HEADER.apiKey));
  // Hashed even when nothing came, so that all refusals do the same work.
  const known = hashes.get(presented ?? '');
  const hash = known ?? (await hashKey(presented ?? ''));
  if (presented?.startsWith(SESSION_TOKEN_PREFIX)) {
    const session = SESSION_TOKEN.test(presented) ? await findSession(hash) : null;
    if (session === null) throw unauthenticated();
    return callerOfSession(session);
  }
  if (presented === undefined) throw unauthenticated();
  const caller = (await keys()).find(hash, { address: () => address, nowMs: Date.now(), broker });
  if (caller === undefined) throw unauthenticated();
  if (known === undefined && hashes.size < MOST_HASHES) hashes.set(presented, hash);
  return caller;
}
