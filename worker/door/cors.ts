/** Closed unless the variable `CORS_ORIGINS` names the origin: no wildcard, no credentials. */

const METHODS = 'GET, HEAD, POST, PATCH, PUT, DELETE';
const REQUEST_HEADERS =
  'authorization, x-api-key, content-type, idempotency-key, prefer, if-none-match, cache-control, x-request-id, traceparent';
const EXPOSED =
  'x-request-id, x-bridge-version, x-bridge-origin, x-session-epoch, server-timing, ratelimit, ratelimit-policy, retry-after, etag, age, cache-status, location, idempotency-replayed, preference-applied';
/** Browsers keep a preflight's answer this long at most (Chromium's own limit is 2 h). */
const MAX_AGE_SECONDS = '600';

export function corsHeaders(origin: string | null, allowed: readonly string[]): Record<string, string> {
  if (origin === null || !allowed.includes(origin)) return {};
  return { 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED, vary: 'origin' };
}

/** The answer to a preflight, or `undefined` when the request is none or its origin is not allowed. */
export function preflight(request: Request, allowed: readonly string[]): Response | undefined {
  if (request.method !== 'OPTIONS' || !request.headers.has('access-control-request-method')) return undefined;
  const headers = corsHeaders(request.headers.get('origin'), allowed);
  if (!('access-control-allow-origin' in headers)) return undefined;
  return new Response(null, {
    status: 204,
    headers: {
      ...headers,
      'access-control-allow-methods': METHODS,
      'access-control-allow-headers': REQUEST_HEADERS,
      'access-control-max-age': MAX_AGE_SECONDS,
    },
  });
}
