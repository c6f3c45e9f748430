import { BridgeError } from '../../container/contract/errors.ts';
import { HEADER } from '../../container/contract/headers.ts';
import { checkBodyHeaders, parseJsonBody } from '../../container/contract/json-body.ts';
import { type Caller, requireScope } from '../../container/contract/keys.ts';
import {
  type AnyRoute,
  requireAllowed,
  RouteTable,
  singleValues,
  validateInput,
} from '../../container/contract/route.ts';
import { postBatch } from '../../container/contract/routes/batch.ts';
import { ROUTES } from '../../container/contract/routes.ts';
import { readBody } from './body.ts';
import type { Door } from './door.ts';
import { doorAnswers } from './door-answers.ts';
import { forward } from './forward.ts';

const table = new RouteTable(ROUTES);
/** What fits in a header and in the ledger's column; the container asks the same. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;
const ANONYMOUS: Caller = { id: 'anonymous', scopes: [] };

/** Whatever the contract's route table refuses is refused here: the container sees only valid requests. */
export async function typedRoute(request: Request, door: Door): Promise<Response> {
  const { route, params } = table.match(request.method, door.url.pathname);
  const caller = route.scope === null ? ANONYMOUS : await door.admit(request.headers);
  if (route.scope !== null) requireScope(caller, route.scope);
  requireIdempotencyKey(route, request.headers.get(HEADER.idempotencyKey));
  const body = route.body ? await typedBody(request, route.bodyOptional === true) : undefined;
  const input = validateInput(route, {
    params,
    query: singleValues(door.url.searchParams),
    body: body && (body.byteLength === 0 ? {} : parseJsonBody(body).value),
  });
  requireAllowed(route, input, caller);
  const answered = await doorAnswers(route, input, caller, door);
  if (answered) return answered;
  const isRead = route.method === 'GET' || route === postBatch;
  return forward(request, door, body === undefined ? { caller, isRead } : { caller, isRead, body });
}

/** Empty where the route takes a request without one. */
async function typedBody(request: Request, optional: boolean): Promise<Uint8Array<ArrayBuffer>> {
  if (optional && request.body === null) return new Uint8Array();
  checkBodyHeaders((name) => request.headers.get(name));
  return readBody(request);
}

function requireIdempotencyKey(route: AnyRoute, key: string | null): void {
  if (route.write && key === null)
    throw new BridgeError('idempotency_key_required', {
      detail: 'A write needs an Idempotency-Key header, new for each intent and the same for its repetitions.',
      field: HEADER.idempotencyKey,
      expected: '1–255 visible ASCII characters',
    });
  if (key !== null && !IDEMPOTENCY_KEY.test(key))
    throw new BridgeError('malformed_request', {
      detail: 'The idempotency key has characters that a key cannot have, or is too long.',
      field: HEADER.idempotencyKey,
      expected: '1–255 visible ASCII characters',
    });
}
