/**
 * The two files of undici that a connection needs. Its index also loads fetch, caches, WebSocket and mocks: twice the
 * start-up time. Typed by undici's own declarations; the version is pinned in package.json.
 */
declare module 'undici/lib/dispatcher/client.js' {
  import { Client } from 'undici';
  export default Client;
}

declare module 'undici/lib/core/errors.js' {
  import { errors } from 'undici';
  export default errors;
}
