import { randomBytes } from '../../state/random.ts';
import { type Digests, WEB_DIGESTS } from '../digests.ts';

/** As the Standard Webhooks specification says (github.com/standard-webhooks/standard-webhooks, symmetric signatures). */
const PREFIX = 'whsec_';
/** 24 to 64 by the specification. */
const SECRET_BYTES = 32;

const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

export const newWebhookSecret = (): string => PREFIX + toBase64(randomBytes(SECRET_BYTES));

/** The headers of one attempt to deliver `body`. The id is the same for each attempt, the time is not. */
export async function signedHeaders(
  secret: string,
  { id, body, nowMs }: { readonly id: string; readonly body: string; readonly nowMs: number },
  { hmacSha256 }: Digests = WEB_DIGESTS,
): Promise<Record<string, string>> {
  const bytes = Uint8Array.from(atob(secret.slice(PREFIX.length)), (character) => character.charCodeAt(0));
  const seconds = Math.floor(nowMs / 1000);
  const signed = await hmacSha256(bytes, `${id}.${seconds}.${body}`);
  return {
    'content-type': 'application/json',
    'user-agent': 'mt5-edge-bridge',
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${toBase64(signed)}`,
  };
}
