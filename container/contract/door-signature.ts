import { HEADER } from './headers.ts';
import { toHex } from './hex.ts';

/**
 * How a Worker shows a program on a VPS that a request is its own: a signature, HMAC-SHA256 with a key that both know, in
 * place of the key itself. It binds what the program believes of a request (`SIGNED_HEADERS`: the checked caller above all) to
 * one method and target, until a moment after the deadline: whoever sees it on its way can repeat that request at most, and a
 * write that is repeated is answered by the ledger.
 */
export interface SignedRequest {
  readonly method: string;
  /** Path and query, without `/brokers/{id}`. */
  readonly target: string;
  readonly header: (name: string) => string | null | undefined;
}

const SIGNED_HEADERS = [
  HEADER.caller,
  HEADER.callerAddress,
  HEADER.idempotencyKey,
  HEADER.deadline,
  HEADER.contractVersion,
] as const;

/** How far the two clocks may be apart. */
const CLOCKS_APART_MS = 30_000;
/** The longest life of a signature: the longest deadline (`REQUEST_DEADLINE_SECONDS`), and clocks apart twice. */
const LONGEST_LIFE_MS = 600_000 + 2 * CLOCKS_APART_MS;

/** Made once for each key: there are one or two. */
const keys = new Map<string, HmacKey>();

type HmacKey = ReturnType<typeof crypto.subtle.importKey>;

function hmacKey(key: string): HmacKey {
  let made = keys.get(key);
  if (!made) {
    const algorithm = { name: 'HMAC', hash: 'SHA-256' };
    made = crypto.subtle.importKey('raw', utf8(key), algorithm, false, ['sign', 'verify']);
    keys.set(key, made);
  }
  return made;
}

/** The value of `x-bridge-signature`: `<expires, epoch ms>.<hex>`. */
export async function signRequest(key: string, request: SignedRequest, nowMs: number): Promise<string> {
  const deadlineMs = Number(request.header(HEADER.deadline)) || 0;
  const expires = String(Math.max(nowMs, deadlineMs) + CLOCKS_APART_MS);
  const signed = await crypto.subtle.sign('HMAC', await hmacKey(key), textOf(expires, request));
  return `${expires}.${toHex(new Uint8Array(signed))}`;
}

/** Whether the holder of the key signed this request (its header `x-bridge-signature`), and it has not expired. */
export async function isSigned(key: string, request: SignedRequest, nowMs: number): Promise<boolean> {
  const signature = request.header(HEADER.signature) ?? '';
  const [, expires = '', hex = ''] = /^(\d{1,16})\.([0-9a-f]{64})$/.exec(signature) ?? [];
  const leftMs = Number(expires) - nowMs;
  if (hex === '' || leftMs < 0 || leftMs > LONGEST_LIFE_MS) return false;
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return crypto.subtle.verify('HMAC', await hmacKey(key), bytes, textOf(expires, request));
}

const utf8 = (text: string) => new TextEncoder().encode(text);

/** No part can hold a line feed: they are parts of an HTTP head. */
const textOf = (expires: string, { method, target, header }: SignedRequest) =>
  utf8([expires, method, target, ...SIGNED_HEADERS.map((name) => header(name) ?? '')].join('\n'));
