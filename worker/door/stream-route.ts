import { BridgeError } from '../../container/contract/errors.ts';
import { HEADER } from '../../container/contract/headers.ts';
import { hashKey, presentedKey, requireScope } from '../../container/contract/keys.ts';
import type { Door } from './door.ts';

/** What the hub reads besides what the door tells it. */
const PASSED = ['upgrade', 'connection', 'sec-websocket-protocol', 'last-event-id'];

/**
 * `/v1/stream` and `/v1/stream/sse` go to the hub, which holds clients' sockets and wakes the container only when it has
 * something to ask. A WebSocket may come without a key (browsers cannot set headers) and present it as its subprotocol
 * or first message.
 */
export async function streamRoute(request: Request, door: Door): Promise<Response> {
  door.route = door.url.pathname;
  const isUpgrade = request.headers.get('upgrade')?.toLowerCase() === 'websocket';
  if (request.method !== 'GET')
    throw new BridgeError('method_not_allowed', { detail: 'Streams take GET.', expected: 'GET' });
  if (door.url.pathname === '/v1/stream' && !isUpgrade)
    throw new BridgeError('upgrade_required', '/v1/stream is a WebSocket; /v1/stream/sse speaks plain HTTP.');
  const headers = new Headers();
  for (const name of PASSED) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  headers.set(HEADER.requestId, door.requestId);
  if (door.address !== undefined) headers.set(HEADER.clientAddress, door.address);
  const key = presentedKey(request.headers.get(HEADER.authorization), request.headers.get(HEADER.apiKey));
  const says = request.headers.has(HEADER.authorization) || request.headers.has(HEADER.apiKey);
  if (says || !isUpgrade) {
    const caller = await door.admit(request.headers);
    requireScope(caller, 'read');
    headers.set(HEADER.caller, JSON.stringify(caller));
    headers.set(HEADER.proof, await hashKey(key ?? ''));
  } else await door.chargeAddress();
  return door.hub.fetch(new Request(door.url, { headers }));
}
