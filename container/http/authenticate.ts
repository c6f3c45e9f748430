import { hash as digest, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isSigned } from '../contract/door-signature.ts';
import { BridgeError } from '../contract/errors.ts';
import { HEADER } from '../contract/headers.ts';
import type { KeyRing, KeyUse } from '../contract/key-records.ts';
import { presentedKey, SESSION_TOKEN_PREFIX, unauthenticated } from '../contract/keys.ts';
import type { Caller } from '../contract/keys.ts';
import { oneOf } from './read-request.ts';

/** Who calls, from the headers of a request; `null` = nobody said. @throws BridgeError `unauthenticated` */
export type Authenticate = (
  header: (name: string) => string | undefined,
  from: From,
) => Promise<Caller | null> | Caller | null;

/** What a request came over. */
export interface From {
  readonly address: KeyUse['address'];
  readonly connection?: object;
  readonly method?: string | undefined;
  /** Path and query. */
  readonly target?: string | undefined;
}

/** As `hashKey` of the contract, at once: WebCrypto would send each request through the thread pool. */
const hashOf = (key: string): string => `sha256:${digest('sha256', key)}`;

/**
 * Tells callers with the same rights from all others, without looking whether they are known: an answer kept under it was
 * given to somebody with these very credentials. `undefined` = it cannot be told at once.
 */
export type Identify = (request: IncomingMessage) => string | undefined;

/** Behind the Worker: the door has checked the key, and says who it is together with the secret of this start. */
export function trustDoor(startSecret: string): Authenticate {
  const expected = Buffer.from(startSecret);
  return (header) => {
    const given = Buffer.from(header(HEADER.startSecret) ?? '');
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      throw new BridgeError('unauthenticated', 'This container is reached through its Worker only.');
    return callerIn(header);
  };
}

function callerIn(header: (name: string) => string | undefined): Caller | null {
  const caller = header(HEADER.caller);
  return caller === undefined ? null : (JSON.parse(caller) as Caller);
}

/** On a VPS behind a Worker: the same, where the Worker has signed it. */
export function trustSigner(key: string, now: () => number): Authenticate {
  return async (header, { method = 'GET', target = '' }) => {
    if (!(await isSigned(key, { method, target, header }, now())))
      throw new BridgeError('unauthenticated', 'This bridge is reached through its Worker only.');
    return callerIn(header);
  };
}

/** Behind the Worker: the caller in its own words, if the secret is right. */
export function identifyByDoor(startSecret: string): Identify {
  const expected = Buffer.from(startSecret);
  return ({ headers }) => {
    const given = Buffer.from(oneOf(headers[HEADER.startSecret]) ?? '');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    return oneOf(headers[HEADER.caller]);
  };
}

interface Presented {
  readonly authorization: string | undefined;
  readonly apiKey: string | undefined;
  /** `null`: no key, or not one. */
  readonly hash: string | null;
  readonly isSession: boolean;
}

/** A connection nearly always presents the key that it presented before: it is hashed once. */
const lastOf = new WeakMap<object, Presented>();

function presented(
  authorization: string | undefined,
  apiKey: string | undefined,
  connection: object | undefined,
): Presented {
  const last = connection && lastOf.get(connection);
  if (last && last.authorization === authorization && last.apiKey === apiKey) return last;
  const key = presentedKey(authorization, apiKey);
  const isSession = key?.startsWith(SESSION_TOKEN_PREFIX) === true;
  const now = { authorization, apiKey, hash: key === undefined ? null : hashOf(key), isSession };
  if (connection) lastOf.set(connection, now);
  return now;
}

/** Alone: the hash of an API key that is valid now. Consumer sessions end at any moment and are asked for each time. */
export const identifyByKey =
  (keys: Keys, addressOf: AddressOf): Identify =>
  (request) => {
    const { headers, socket } = request;
    const { hash, isSession } = presented(headers.authorization, oneOf(headers[HEADER.apiKey]), socket);
    if (hash === null || isSession) return undefined;
    try {
      return (
        keys.ring().find(hash, { address: () => addressOf(request), nowMs: keys.now(), broker: keys.broker }) && hash
      );
    } catch {
      return undefined;
    }
  };

/** The client of a request, by its address. */
export type AddressOf = (request: IncomingMessage) => string | undefined;

/** The keys as they are now. */
export interface Keys {
  readonly ring: () => KeyRing;
  readonly now: () => number;
  /** The broker that is asked. */
  readonly broker: string;
  /** Told of each use. */
  readonly used: (id: string) => void;
}

/** Finds the trader of a consumer session by the hash of the token; `null` = no such session. */
type FindConsumer = (tokenHash: string) => Promise<Caller | null>;

/** Alone on a VPS: the container checks keys and session tokens itself. */
export function checkKeys(keys: Keys, findConsumer: FindConsumer): Authenticate {
  const known = (found: Caller | null | undefined): Caller => {
    if (!found) throw unauthenticated();
    return found;
  };
  return (header, { address, connection }) => {
    const authorization = header(HEADER.authorization);
    const apiKey = header(HEADER.apiKey);
    if (authorization === undefined && apiKey === undefined) return null;
    const { hash, isSession } = presented(authorization, apiKey, connection);
    if (isSession) return findConsumer(hash ?? '').then(known);
    const caller = known(keys.ring().find(hash ?? '', { address, nowMs: keys.now(), broker: keys.broker }));
    keys.used(caller.id);
    return caller;
  };
}
