/** Source of random bytes; injected for tests. */
export type RandomBytes = (length: number) => Uint8Array;

export const randomBytes: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** RFC 4648 alphabet in lower case: safe in comments and URLs, and easy to read aloud. */
export const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** `length` characters of 5 random bits each. */
export const randomBase32 = (length: number, random: RandomBytes = randomBytes): string =>
  Array.from(random(length), (byte) => BASE32[byte & 31]).join('');
