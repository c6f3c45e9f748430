import type { BridgeError } from '../../container/contract/errors.ts';
import { HEADER } from '../../container/contract/headers.ts';
import type { Caller } from '../../container/contract/keys.ts';
import type { BridgeState } from '../../container/state/bridge-state.ts';
import { failedWriteAnswer } from '../../container/state/operation-view.ts';
import { problemResponse } from '../problem.ts';
import type { ForwardRequest } from './origin/forward-to-origin.ts';
import type { Origins } from './origin/origins.ts';

/** Between looks whether a write whose connection broke has a row by now. */
const LEDGER_LOOK_MS = 50;

export interface FailedForwardParts {
  readonly state: BridgeState;
  readonly origins: Pick<Origins, 'holderOf'>;
  readonly now: () => number;
}

/** A request that brought no answer. Of a write that was handed over, this object's own ledger tells what is known. */
export async function failedForward(
  request: ForwardRequest,
  requestId: string,
  error: BridgeError,
  { state, origins, now }: FailedForwardParts,
): Promise<Response> {
  const key = request.headers.get(HEADER.idempotencyKey);
  const caller = callerId(request.headers);
  if (request.isRead || error.outcome !== 'unknown' || key === null || caller === null)
    return problemResponse(error, requestId);
  // A process that lives may still be about to write the row. Its end makes "nothing was sent" certain, and so does the
  // deadline: after it the ledger takes no row of this request.
  const origin = origins.holderOf(caller, key);
  while (origin.isRunning && now() < request.deadlineAtMs) {
    if (await state.operations.get(caller, key)) break;
    await Promise.race([origin.ended(), scheduler.wait(LEDGER_LOOK_MS)]);
  }
  const { status, headers, body } = await failedWriteAnswer(state, { caller, key, requestId }, error);
  return new Response(body, { status, headers });
}

/** As the door has found it. */
export function callerId(headers: Headers): string | null {
  const text = headers.get(HEADER.caller);
  return text === null ? null : (JSON.parse(text) as Caller).id;
}
