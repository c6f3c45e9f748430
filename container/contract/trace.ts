/** What names a request on its way through Worker and container: one rule for both. */

/** Room for a UUID with a prefix, as gateways make them, and nothing that could break a log line or a header. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** The caller's own id, if it is one; otherwise whoever answers makes one. */
export const requestIdOf = (given: string | null | undefined): string | undefined =>
  typeof given === 'string' && REQUEST_ID.test(given) ? given : undefined;

/** W3C Trace Context, version 00. Trace and parent ids of zeros are not valid. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The caller's trace, if it is one. */
export const traceparentOf = (given: string | null | undefined): string | undefined =>
  typeof given === 'string' && TRACEPARENT.test(given) ? given : undefined;
