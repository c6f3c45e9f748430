import { requestIdOf, traceparentOf } from '../../container/contract/trace.ts';

/** The caller's own id, or a new one. */
export const requestIdFor = (given: string | null): string => requestIdOf(given) ?? crypto.randomUUID();

/** The caller's trace goes on; without one a new, unsampled trace begins. */
export const traceparentFor = (given: string | null): string =>
  traceparentOf(given) ?? `00-${randomHex()}-${randomHex().slice(16)}-00`;

/** 32 digits, of which never all are 0. */
const randomHex = (): string => crypto.randomUUID().replaceAll('-', '');
