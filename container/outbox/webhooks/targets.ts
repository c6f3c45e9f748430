import { BridgeError } from '../../contract/errors.ts';

export interface TargetRules {
  /** Origins that may be called whatever they are (`WEBHOOK_ALLOWED_ORIGINS`). */
  readonly allowedOrigins: readonly string[];
  /** Names that the bridge itself is reached by. */
  readonly ownHosts: readonly string[];
}

/** Names that are nobody's on the internet (RFC 6761, RFC 6762, RFC 8375, RFC 9476, ICANN's `internal`). */
const PRIVATE_NAMES =
  /(?:^|\.)(?:localhost|local|internal|intranet|private|corp|home|lan|arpa|test|example|invalid|onion|alt)$/;
/** What a URL parser makes of an address in any spelling: four numbers, or brackets. */
const ADDRESS = /^(?:\d+(?:\.\d+){3}|\[.*\])$/;

const EXPECTED = 'an https URL on port 443 of a public name, without user, password or fragment';

/**
 * Where a webhook may be sent: what it could reach that its caller cannot is refused. What a name resolves to is the
 * platform's to bound on Cloudflare; on a VPS it is looked at when the connection is made.
 * @throws BridgeError `invalid_field`
 */
export function requireTarget(text: string, { allowedOrigins, ownHosts }: TargetRules): void {
  const refuse = (why: string): never => {
    throw new BridgeError('invalid_field', { detail: `url: ${why}.`, field: 'url', expected: EXPECTED });
  };
  if (!URL.canParse(text)) return refuse('it is not a URL');
  const url = new URL(text);
  const host = url.hostname.toLowerCase().replace(/\.$/, '');
  if (/^[a-z][a-z0-9+.-]*:\/*[^/?#]*@/i.test(text)) return refuse('it holds a user or a password');
  if (text.includes('#')) return refuse('it has a fragment');
  if (allowedOrigins.includes(url.origin)) return undefined;
  if (url.protocol !== 'https:') return refuse('it is not https');
  if (url.port !== '') return refuse('it names a port other than 443');
  if (ADDRESS.test(host)) return refuse('it names an address and not a host');
  if (!host.includes('.') || PRIVATE_NAMES.test(host)) return refuse('its name is not one of the internet');
  if (ownHosts.includes(host)) return refuse('it is the bridge itself');
  return undefined;
}
