/** A command on the wire. Parameters that may be long go in the body, as JSON text. */
export interface WireRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Percent-encodes one value as UTF-8: space is `%20`, and no character of a value can end it. */
const encodeValue = (value: string): string => encodeURIComponent(value.toWellFormed());

export const encodeQuery = (query: readonly (readonly [name: string, value: string])[]): string =>
  query.map(([name, value]) => `${encodeValue(name)}=${encodeValue(value)}`).join('&');

/** MT5 takes JSON under this type, and the official clients send it so (mt5-webapi §1.1). */
const BODY_TYPE = 'application/x-www-form-urlencoded';

/** `path` is without `/api/`, or begins with `/` and is the whole; `query` is encoded already. */
export function encodeCommand(
  path: string,
  query: string,
  body?: string | Uint8Array,
  contentType = BODY_TYPE,
): WireRequest {
  const target = `${path.startsWith('/') ? path : `/api/${path}`}${query === '' ? '' : `?${query}`}`;
  return body === undefined
    ? { method: 'GET', path: target, headers: {} }
    : { method: 'POST', path: target, headers: { 'content-type': contentType }, body };
}
