import { admitCommand } from '../contract/admission.ts';
import type { CustomCommands } from '../contract/custom-commands.ts';
import { budgetOf } from '../contract/keys.ts';
import type { Passthrough } from '../service/broker/passthrough.ts';
import type { Serve } from './api.ts';
import { HttpCall } from './call.ts';
import { splitTarget } from './read-request.ts';

/** `/api/*`, by the raw request target: nothing has decoded or normalised it. */
export function servePassthrough(passthrough: Passthrough, custom: CustomCommands): Serve {
  return async (request, facts) => {
    const [pathname, query] = splitTarget(request.url ?? '');
    const admitted = await admitCommand(Object.assign(new HttpCall(request, facts), { pathname, query }), custom);
    facts.route = `/api/${admitted.command.path}`;
    const { requestId, address, deadlineAtMs, signal, timings } = facts;
    const lane = budgetOf(admitted.caller);
    const answer = await passthrough.answer(admitted, { requestId, address, deadlineAtMs, signal, timings, lane });
    const headers = Object.entries(answer.headers ?? {}).flat();
    headers.push('content-type', answer.contentType, 'cache-control', 'no-store');
    return { status: answer.status, headers, body: answer.bytes };
  };
}
