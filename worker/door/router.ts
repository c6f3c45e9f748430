/**
 * The door: what reaches the Durable Object is authenticated, allowed, within its limits and valid; everything else is
 * answered here and wakes nothing. worker/ may know the contract and the state, and nothing of how the container works.
 */
import { Router } from 'itty-router';
import { requireTarget } from '../../container/contract/admission.ts';
import { asBridgeError, BridgeError } from '../../container/contract/errors.ts';
import { brokerNotFound, splitBrokerTarget } from '../../container/contract/brokers.ts';
import { publicDocument } from '../../container/contract/documents.ts';
import type { getHealth } from '../../container/contract/routes/monitoring.ts';
import { HEADER } from '../../container/contract/headers.ts';
import { publicReason, publicSession } from '../../container/contract/schemas/status.ts';
import { BRIDGE_VERSION } from '../../container/contract/version.ts';
import { type Broker, type DoorConfig, doorConfig } from '../config.ts';
import { fromMemory } from './cache/reference-reads.ts';
import { preflight } from './cors.ts';
import { Door, READINESS, transportHeaders } from './door.ts';
import { answered, jsonText } from './door-answers.ts';
import { doorMetrics } from './door-metrics.ts';
import { logEvent } from '../log.ts';
import { passthroughRoute } from './passthrough-route.ts';
import { problemResponse } from '../problem.ts';
import { streamRoute } from './stream-route.ts';
import { requestIdFor } from './trace.ts';
import { typedRoute } from './typed-route.ts';

/** `Router`, not `AutoRouter`: that one hands over a Proxy of the request, which `stub.fetch` cannot take. */
const router = Router<Request, [Door]>()
  .all('*', (request: Request, door: Door) => preflight(request, door.config.corsOrigins))
  .all(READINESS, async ({ method }: Request, door: Door) => {
    door.route = READINESS;
    requireLook(method);
    await door.chargeAddress();
    const status = await door.bridge.status();
    const { ready, container } = status;
    const session = { ...publicSession(status.session), serverBuild: null };
    const reason = publicReason(status);
    // What else the status tells is the operator's.
    return jsonText(JSON.stringify({ ready, reason, session, container }), ready ? 200 : 503);
  })
  .all('/v1/stream', streamRoute)
  .all('/v1/stream/sse', streamRoute)
  .get('/api/version', typedRoute)
  .get('/api/test', typedRoute)
  .all('/api/*', passthroughRoute)
  .all('*', typedRoute);

/** @throws BridgeError `method_not_allowed` */
function requireLook(method: string): void {
  if (method === 'GET' || method === 'HEAD') return;
  throw new BridgeError('method_not_allowed', { detail: 'Probes take GET and HEAD.', expected: 'GET, HEAD' });
}

/** @returns an answer for whatever came; never throws */
export async function answer(received: Request, env: Env): Promise<Response> {
  const requestId = requestIdFor(received.headers.get(HEADER.requestId));
  let door: Door | undefined;
  try {
    const { request, url, id, prefix } = belowBroker(received);
    const { pathname, search } = url;
    // The Worker itself is up, configured or not.
    if (pathname === '/healthz' || pathname === '/health') {
      requireLook(request.method);
      doorMetrics.answeredAlone('/healthz', request.method, 200);
      return numbered(answered<typeof getHealth>({ status: 'ok', version: BRIDGE_VERSION }), url, requestId);
    }
    const document = request.method === 'GET' ? publicDocument(pathname) : undefined;
    if (document) {
      doorMetrics.answeredAlone('document', request.method, 200);
      return numbered(new Response(document.text, { headers: document.headers }), url, requestId);
    }
    requireTarget(pathname + search);
    const config = doorConfig(env);
    door = new Door(request, { env, config, url, requestId, prefix, broker: requireBroker(id, config) });
    const kept = await fromMemory(request, door);
    if (kept) return door.send(kept);
    return door.finish(withOwnHeaders((await router.fetch(request, door)) as Response));
  } catch (error) {
    const known = asBridgeError(error);
    if (known.code === 'internal_error') logEvent('internal_error', { requestId, error }, 'error');
    const response = problemResponse(known, requestId);
    if (door) return door.finish(response, known.code);
    doorMetrics.answeredAlone('unmatched', received.method, response.status);
    return response;
  }
}

/** Those of what a Durable Object answered cannot be changed. */
const withOwnHeaders = ({ body, status, headers, webSocket }: Response): Response =>
  new Response(body, { status, headers: new Headers(headers), webSocket });

/** `/brokers/{id}/…` as the request that the broker's API knows. */
function belowBroker(request: Request): { request: Request; url: URL; id: string | undefined; prefix: string } {
  const url = new URL(request.url);
  const found = splitBrokerTarget(url.pathname + url.search);
  if (!found) return { request, url, id: undefined, prefix: '' };
  const below = new URL(url.origin + found.target);
  return { request: new Request(below, request), url: below, id: found.id, prefix: found.prefix };
}

/** @throws BridgeError `broker_not_found` */
function requireBroker(id: string | undefined, { brokers }: DoorConfig): Broker {
  const found = id === undefined ? brokers[0] : brokers.find((broker) => broker.id === id);
  if (found) return found;
  throw brokerNotFound(id ?? '');
}

function numbered(response: Response, url: URL, requestId: string): Response {
  for (const [name, value] of Object.entries(transportHeaders(url))) response.headers.set(name, value);
  response.headers.set(HEADER.requestId, requestId);
  return response;
}
