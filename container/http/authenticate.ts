import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { RequestHandler } from 'express';
import { BridgeError } from '../contract/errors.ts';
import { HEADER } from '../contract/headers.ts';
import { findCaller, presentedKey, SESSION_TOKEN_PREFIX } from '../contract/keys.ts';
import type { ApiKey, Caller } from '../contract/keys.ts';
import { factsOf, noteDeadline } from './request-facts.ts';

/** Who calls, from the headers of a request; `null` = nobody said. @throws BridgeError `unauthenticated` */
export type Authenticate = (header: (name: string) => string | undefined) => Promise<Caller | null>;

/** As `hashKey` of the contract, at once: WebCrypto would send each request through the thread pool. */
const hashOf = (key: string): string => `sha256:${hash('sha256', key)}`;

/**
 * Tells callers with the same rights from all others, without looking whether they are known: an answer kept under it was
 * given to somebody with these very credentials. `undefined` = it cannot be told at once.
 */
export type Identify = (headers: IncomingHttpHeaders, connection: object) => string | undefined;

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

const one = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

/** Behind the Worker: the caller in its own words, if the secret is right. */
export function identifyByDoor(startSecret: string): Identify {
  const expected = Buffer.from(startSecret);
  return (headers) => {
    const given = Buffer.from(one(headers[HEADER.startSecret]) ?? '');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    return one(headers[HEADER.caller]);
  };
}

interface Presented {
  readonly authorization: string | undefined;
  readonly apiKey: string | undefined;
  readonly identity: string | undefined;
}

/** Alone: the hash of an API key. Consumer sessions end at any moment and are asked for each time. */
export function identifyByKey(): Identify {
  // A connection nearly always presents the key that it presented before.
  const lastOf = new WeakMap<object, Presented>();
  return ({ authorization, [HEADER.apiKey]: header }, connection) => {
    const apiKey = one(header);
    const last = lastOf.get(connection);
    if (last && last.authorization === authorization && last.apiKey === apiKey) return last.identity;
    const key = presentedKey(authorization, apiKey);
    const identity = key === undefined || key.startsWith(SESSION_TOKEN_PREFIX) ? undefined : hashOf(key);
    lastOf.set(connection, { authorization, apiKey, identity });
    return identity;
  };
}

/** Finds the trader of a consumer session by the hash of the token; `null` = no such session. */
export type FindConsumer = (tokenHash: string) => Promise<Caller | null>;

/** Alone on a VPS: the container checks keys and session tokens itself. */
export function checkKeys(keys: readonly ApiKey[], findConsumer: FindConsumer): Authenticate {
  return async (header) => {
    const authorization = header(HEADER.authorization);
    const apiKey = header(HEADER.apiKey);
    if (authorization === undefined && apiKey === undefined) return null;
    const key = presentedKey(authorization, apiKey);
    const hashed = hashOf(key ?? '');
    const found = key?.startsWith(SESSION_TOKEN_PREFIX) ? await findConsumer(hashed) : findCaller(keys, hashed);
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
