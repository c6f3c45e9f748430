import type { RequestIdentity } from './operation-runner.ts';

export type Fingerprint = (identity: RequestIdentity) => Promise<string>;

/**
 * HMAC-SHA-256 of what makes two requests the same. Keyed, since bodies may hold passwords and a plain hash of a short
 * one can be guessed.
 */
export function fingerprinter(secret: () => Promise<string>): Fingerprint {
  const importKey = async () =>
    crypto.subtle.importKey('raw', Buffer.from(await secret(), 'hex'), { name: 'HMAC', hash: 'SHA-256' }, false, [
      'sign',
    ]);
  let key: ReturnType<typeof importKey> | undefined;
  return async ({ routeId, params, query, bodyText }) => {
    key ??= importKey().catch((error: unknown) => {
      key = undefined;
      throw error;
    });
    const text = JSON.stringify([routeId, params, query, bodyText]);
    const signature = await crypto.subtle.sign('HMAC', await key, Buffer.from(text, 'utf8'));
    return Buffer.from(signature).toString('hex');
  };
}
