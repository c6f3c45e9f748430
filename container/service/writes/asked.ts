import { withoutSecrets } from '../../contract/events.ts';
import type { RequestIdentity } from './operation-runner.ts';

/** What was asked, as the event of an operation tells it: JSON, without secrets. A raw body is told where it is JSON. */
export function askedOf({ routeId, params, query, bodyText, raw = false }: RequestIdentity): string {
  const body = parsed(raw ? Buffer.from(bodyText, 'base64').toString('utf8') : bodyText);
  const asked = { route: routeId, params, query, ...(body === undefined ? {} : { body }) };
  return JSON.stringify(withoutSecrets(asked));
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
