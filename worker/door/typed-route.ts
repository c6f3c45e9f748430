import { admit } from '../../container/contract/admission.ts';
import { RouteTable } from '../../container/contract/route.ts';
import { postBatch } from '../../container/contract/routes/batch.ts';
import { ROUTES } from '../../container/contract/routes.ts';
import { DoorCall } from './call.ts';
import type { Door } from './door.ts';
import { doorAnswers } from './door-answers.ts';
import { forward } from './forward.ts';

const table = new RouteTable(ROUTES);

/** Whatever the contract's admission refuses is refused here: the container sees only valid requests. */
export async function typedRoute(request: Request, door: Door): Promise<Response> {
  const match = table.match(request.method, door.url.pathname);
  door.route = match.route.path;
  const call = Object.assign(new DoorCall(request, door), { query: door.url.searchParams });
  const admitted = await admit(match, call);
  const { route, caller, body } = admitted;
  const answered = await doorAnswers(admitted, door);
  if (answered) return answered;
  const isRead = route.method === 'GET' || route === postBatch;
  return forward(request, door, { caller, isRead, ...(body ? { body: body.bytes } : {}) });
}
