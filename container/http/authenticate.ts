import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import { BridgeError } from '../contract/errors.ts';
import { HEADER } from '../contract/headers.ts';
import { findCaller, presentedKey, SESSION_TOKEN_PREFIX } from '../contract/keys.ts';
import type { ApiKey, Caller } from '../contract/keys.ts';
import { factsOf, noteDeadline } from './request-facts.ts';

/** Who calls, from the headers of a request; `null` = nobody said. @throws BridgeError `unauthenticated` */
export type Authenticate = (header: (name: string) => string | undefined) => Promise<Caller | null>;

const refused = (detail: string): BridgeError => new BridgeError('unauthenticated', detail);

/** Behind the Worker: the door has checked the key, and says who it is together with the secret of this start. */
export function trustDoor(startSecret: string): Authenticate {
  const expected = Buffer.from(startSecret);
  return async (header) => {
    const given = Buffer.from(header(HEADER.startSecret) ?? '');
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      throw refused('This container is reached through its Worker only.');
    const caller = header(HEADER.caller);
    return caller === undefined ? null : (JSON.parse(caller) as Caller);
  };
}

/** As `hashKey` of the contract, without the thread that WebCrypto hands 30 bytes to. */
const hashOf = (key: string): string => `sha256:${createHash('sha256').update(key).digest('hex')}`;

/** Finds the trader of a consumer session by the hash of the token; `null` = no such session. */
export type FindConsumer = (tokenHash: string) => Promise<Caller | null>;

/** Alone on a VPS: the container checks keys and session tokens itself. */
export function checkKeys(keys: readonly ApiKey[], findConsumer: FindConsumer): Authenticate {
  return async (header) => {
    const authorization = header(HEADER.authorization);
    const apiKey = header(HEADER.apiKey);
    if (authorization === undefined && apiKey === undefined) return null;
    const key = presentedKey(authorization, apiKey);
    const hash = hashOf(key ?? '');
    const found = key?.startsWith(SESSION_TOKEN_PREFIX) ? await findConsumer(hash) : findCaller(keys, hash);
    if (!found) throw refused('The key is not valid. Send it as "Authorization: Bearer …" or "X-API-Key: …".');
    return found;
  };
}

/** Notes the caller of every request, for those who come after in the chain. */
export function noteCaller(authenticate: Authenticate, behindDoor: boolean, now: () => number): RequestHandler {
  return async (request, _response, next) => {
    const facts = factsOf(request);
    facts.caller = await authenticate((name) => request.get(name));
    if (behindDoor) noteDeadline(facts, request.get(HEADER.deadline), now());
    next();
  };
}
