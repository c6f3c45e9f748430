import type { DayHead } from './record.ts';

/** Days are closed with an Ed25519 key of the outbox's own: whoever can write to the store alone cannot write days. */
type Key = Parameters<typeof crypto.subtle.sign>[1];

interface PrivateJwk extends Readonly<Record<string, string>> {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  /** Public and private part, base64url. */
  readonly x: string;
  readonly d: string;
}

const ALGORITHM = 'Ed25519';
const encoder = new TextEncoder();

/** A new key, as JSON. */
export async function newSigningKey(): Promise<string> {
  const pair = (await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as { privateKey: Key };
  const { x, d } = (await crypto.subtle.exportKey('jwk', pair.privateKey)) as PrivateJwk;
  return JSON.stringify({ kty: 'OKP', crv: ALGORITHM, x, d } satisfies PrivateJwk);
}

export const publicKeyOf = (signingKey: string): string => (JSON.parse(signingKey) as PrivateJwk).x;

const signedText = ({ broker, day, seq, hash }: Pick<DayHead, 'broker' | 'day' | 'seq' | 'hash'>) =>
  encoder.encode(`mt5-edge-bridge audit\n${broker}\n${day}\n${seq}\n${hash}`);

/** Base64url. The same for the same head and key (RFC 8032). */
export async function signDay(head: Parameters<typeof signedText>[0], signingKey: string): Promise<string> {
  const key = await crypto.subtle.importKey('jwk', JSON.parse(signingKey) as PrivateJwk, ALGORITHM, false, ['sign']);
  return toBase64Url(new Uint8Array(await crypto.subtle.sign(ALGORITHM, key, signedText(head))));
}

export async function isDaySigned(day: DayHead, publicKey: string): Promise<boolean> {
  try {
    const jwk = { kty: 'OKP', crv: ALGORITHM, x: publicKey };
    const key = await crypto.subtle.importKey('jwk', jwk, ALGORITHM, false, ['verify']);
    return await crypto.subtle.verify(ALGORITHM, key, fromBase64Url(day.signature), signedText(day));
  } catch {
    return false;
  }
}

const toBase64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

const fromBase64Url = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
