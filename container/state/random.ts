/** Source of random bytes; injected for tests. */
export type RandomBytes = (length: number) => Uint8Array;

/** Fetched in advance: asking the system each time costs more than what most are used for. Each byte is given once. */
const POOL_BYTES = 4_096;
let pool = new Uint8Array(0);

export const randomBytes: RandomBytes = (length) => {
  if (pool.length < length) pool = crypto.getRandomValues(new Uint8Array(Math.max(POOL_BYTES, length)));
  const bytes = pool.slice(0, length);
  pool.fill(0, 0, length);
  pool = pool.subarray(length);
  return bytes;
};

/** RFC 4648 alphabet in lower case: safe in comments and URLs, and easy to read aloud. */
export const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** `length` characters of 5 random bits each. */
export const randomBase32 = (length: number, random: RandomBytes = randomBytes): string =>
  Array.from(random(length), (byte) => BASE32[byte & 31]).join('');
