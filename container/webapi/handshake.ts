import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * webapi/ is the MT5 Web API as pure functions over bytes and text: no sockets, no clocks, no state. This file is the
 * arithmetic of the sign-in (mt5-webapi §1.3). Everything is concatenated as binary; hex exists only on the wire.
 */

const md5 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** MD5(MD5(UTF-16LE(password)) + "WebAPI"): all that is ever needed of the password. */
export const passwordHash = (password: string): Uint8Array =>
  md5(md5(Buffer.from(password, 'utf16le')), Buffer.from('WebAPI', 'ascii'));

/** The answer to a challenge, as 16 bytes. */
export const challengeAnswer = (hash: Uint8Array, challenge: Uint8Array): Uint8Array => md5(hash, challenge);

export const newChallenge = (): Uint8Array => randomBytes(16);

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** 32 hex digits of either case → 16 bytes; anything else → undefined. */
export function fromHex(text: unknown): Uint8Array | undefined {
  return typeof text === 'string' && /^[0-9a-f]{32}$/i.test(text) ? Buffer.from(text, 'hex') : undefined;
}

export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);

/** Client build; 484 is the least a server accepts (mt5-webapi §1.3). */
const CLIENT_VERSION = '3470';

export const startQuery = (login: string, agent: string): string =>
  `version=${CLIENT_VERSION}&agent=${encodeURIComponent(agent)}&login=${encodeURIComponent(login)}&type=manager`;

export const answerQuery = (answer: Uint8Array, challenge: Uint8Array): string =>
  `srv_rand_answer=${toHex(answer)}&cli_rand=${toHex(challenge)}`;
