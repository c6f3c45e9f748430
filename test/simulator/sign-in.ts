/** The arithmetic of the challenge-response sign-in (mt5-webapi.md §1.3). Every concatenation is of bytes. */
import { createHash, timingSafeEqual } from 'node:crypto';

const md5 = (...parts: readonly Buffer[]): Buffer => {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const SALT = Buffer.from('WebAPI', 'ascii');

export const passwordHash = (password: string): Buffer => md5(md5(Buffer.from(password, 'utf16le')), SALT);

/** Both sides prove the password in this way: MD5 of the password's hash and the other side's random bytes. */
export const proof = (hash: Buffer, random: Buffer): Buffer => md5(hash, random);

/** 16 bytes from 32 hex digits of either case, or undefined. */
export const random16 = (hex: string | undefined): Buffer | undefined =>
  hex !== undefined && /^[0-9a-fA-F]{32}$/.test(hex) ? Buffer.from(hex, 'hex') : undefined;

export const proves = (hash: Buffer, random: Buffer, answer: Buffer): boolean =>
  timingSafeEqual(proof(hash, random), answer);
