import { BridgeError } from '../../container/contract/errors.ts';
import { CONNECTION_HEADERS, HEADER, INTERNAL_HEADERS } from '../../container/contract/headers.ts';
import type { Caller } from '../../container/contract/keys.ts';
import { CONTRACT_VERSION } from '../../container/contract/version.ts';
import { inSpan } from '../span.ts';
import type { ReferenceClass } from '../../container/contract/reference-data.ts';
import { type ReferenceAsk, wireText } from '../reference-wire.ts';
import type { Door } from './door.ts';

/** Connection-bound, and what would tell the container more than it needs: keys, cookies, ways. */
const DROPPED: readonly string[] = [
  ...INTERNAL_HEADERS,
  HEADER.authorization,
  HEADER.apiKey,
  HEADER.clientAddress,
  ...CONNECTION_HEADERS,
  'transfer-encoding',
  'content-length',
  'cookie',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'true-client-ip',
  // Compressing is Cloudflare's part, on the way to the caller.
  'accept-encoding',
  // Would choose another port of the container (`Container.fetch`).
  'cf-container-target-port',
];

/** What would let the container leave out the body, and what `fetch` adds to it. */
const CONDITIONS = [
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-unmodified-since',
  'if-range',
  'range',
  'pragma',
];

export interface Forwarded {
  readonly caller: Caller;
  readonly isRead: boolean;
  readonly body?: Uint8Array;
  /** A read of reference data, whose conditions the door looks at. */
  readonly reference?: ReferenceAsk;
  /** Reference data that the write may change. */
  readonly changes?: readonly ReferenceClass[];
}

/** To the Durable Object that holds the broker's session, with what the container must know and nothing else. */
export async function forward(
  request: Request,
  door: Door,
  { caller, isRead, body, reference, changes = [] }: Forwarded,
): Promise<Response> {
  const headers = new Headers(request.headers);
  const upgrade = headers.get('upgrade')?.toLowerCase() === 'websocket';
  for (const name of DROPPED) headers.delete(name);
  if (!upgrade) headers.delete('upgrade');
  headers.set(HEADER.requestId, door.requestId);
  headers.set(HEADER.traceparent, door.traceparent);
  headers.set(HEADER.caller, JSON.stringify(caller));
  if (door.address !== undefined) headers.set(HEADER.callerAddress, door.address);
  headers.set(HEADER.contractVersion, String(CONTRACT_VERSION));
  headers.set(HEADER.deadline, String(door.deadlineAtMs));
  if (isRead) headers.set(HEADER.replay, 'safe');
  if (changes.length > 0) headers.set(HEADER.changes, changes.join(','));
  if (reference) {
    for (const name of CONDITIONS) headers.delete(name);
    if (reference.oldestMs === null) headers.delete('cache-control');
    headers.set(HEADER.reference, wireText(reference));
  }
  const init: RequestInit = {
    method: reference ? 'GET' : request.method,
    headers,
    redirect: 'manual',
    ...(body === undefined || body.byteLength === 0 ? {} : { body: body as Uint8Array<ArrayBuffer> }),
  };
  const sentAtMs = Date.now();
  try {
    return await inSpan('bridge.forward', { 'bridge.route': door.route, 'bridge.broker': door.broker.id }, () =>
      throughReset(() => door.bridge.fetch(door.url.href, init), isRead),
    );
  } finally {
    door.forwardedMs = Date.now() - sentAtMs;
  }
}

/**
 * The Durable Object answers for its container; what is thrown here is its own end: new code, a moved host. Made anew it
 * takes the container up again, so a read is simply asked again, once. Of a write nothing is known here.
 */
export async function throughReset(send: () => Promise<Response>, isRead: boolean): Promise<Response> {
  try {
    return await send();
  } catch (cause) {
    if (isRead) return await send().catch((again: unknown) => unreachable(again));
    throw new BridgeError('outcome_unknown', {
      detail: 'The session holder was replaced while the request was under way; look at GET /v1/operations/{key}.',
      cause,
    });
  }
}

function unreachable(cause: unknown): never {
  throw new BridgeError('container_unavailable', { detail: 'The session holder is being replaced.', cause });
}
