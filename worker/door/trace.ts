/** A caller's own id is kept when it cannot break a log line or a header; else a new one is made. */
export const requestIdOf = (headers: Headers, name: string): string => {
  const given = headers.get(name);
  return given !== null && /^[A-Za-z0-9._:-]{1,64}$/.test(given) ? given : crypto.randomUUID();
};

/** W3C Trace Context, version 00. Trace and parent ids of zeros are invalid. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The caller's trace goes on; without a valid one a new, unsampled trace begins. */
export function traceparentOf(given: string | null): string {
  if (given !== null && TRACEPARENT.test(given)) return given;
  return `00-${randomHex(16)}-${randomHex(8)}-00`;
}

const randomHex = (bytes: number): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');
