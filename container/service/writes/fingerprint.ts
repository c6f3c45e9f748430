import { createHmac } from 'node:crypto';
import type { RequestIdentity } from './operation-runner.ts';

export type Fingerprint = (identity: RequestIdentity) => Promise<string>;

/**
 * HMAC-SHA-256 of what makes two requests the same. Keyed, since bodies may hold passwords and a plain hash of a short
 * one can be guessed.
 */
export function fingerprinter(secret: () => Promise<string>): Fingerprint {
  let key: Promise<Buffer> | undefined;
  const keyOf = async (): Promise<Buffer> => Buffer.from(await secret(), 'hex');
  return async ({ routeId, params, query, bodyText }) => {
    key ??= keyOf().catch((error: unknown) => {
      key = undefined;
      throw error;
    });
    return createHmac('sha256', await key)
      .update(JSON.stringify([routeId, params, query, bodyText]), 'utf8')
      .digest('hex');
  };
}
