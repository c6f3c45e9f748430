import { requestIdOf, traceparentOf } from '../../container/contract/trace.ts';

/** The caller's own id, or a new one. */
export const requestIdFor = (given: string | null): string => requestIdOf(given) ?? crypto.randomUUID();

/** The caller's trace goes on; without one a new, unsampled trace begins. */
export const traceparentFor = (given: string | null): string =>
  traceparentOf(given) ?? `00-${randomHex(16)}-${randomHex(8)}-00`;

const randomHex = (bytes: number): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, '0')).join('');
