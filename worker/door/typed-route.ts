import { admit } from '../../container/contract/admission.ts';
import { RouteTable } from '../../container/contract/route.ts';
import { postBatch } from '../../container/contract/routes/batch.ts';
import { getPerformanceCache } from '../../container/contract/routes/monitoring.ts';
import { ROUTES } from '../../container/contract/routes.ts';
import { DoorCall } from './call.ts';
import { withDoorCache } from './cache/performance.ts';
import { referenceClassOf, referenceRead, wroteReference } from './cache/reference-reads.ts';
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
  const { route, input, caller, body } = admitted;
  const answered = await doorAnswers(admitted, door);
  if (answered) return answered;
  const of = referenceClassOf(route, request);
  if (of) return referenceRead(request, door, { route, of, input, caller });
  const isRead = route.method === 'GET' || route === postBatch;
  const { changes = [] } = route;
  try {
    const answer = await forward(request, door, { caller, isRead, changes, ...(body ? { body: body.bytes } : {}) });
    return route === getPerformanceCache ? await withDoorCache(answer, door) : answer;
  } finally {
    if (changes.length > 0) wroteReference(door);
  }
}
