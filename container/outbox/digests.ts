import { toHex } from '../contract/hex.ts';

/**
 * SHA-256 and its HMAC. A runtime that has them at once brings its own: of short texts WebCrypto's way through another thread
 * takes a hundred times as long as the hash, and with each event that is a good part of what an order costs.
 */
export interface Digests {
  /** Hex. */
  readonly sha256: (text: string) => string | Promise<string>;
  readonly hmacSha256: (key: Uint8Array<ArrayBuffer>, text: string) => Uint8Array | Promise<Uint8Array>;
}

const encoder = new TextEncoder();

export const WEB_DIGESTS: Digests = {
  sha256: async (text) => toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text)))),
  hmacSha256: async (bytes, text) => {
    const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    return new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(text)));
  },
};
