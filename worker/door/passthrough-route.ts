import { admitCommand } from '../../container/contract/admission.ts';
import { changesOf } from './cache/changes.ts';
import { wroteReference } from './cache/reference-reads.ts';
import { DoorCall } from './call.ts';
import type { Door } from './door.ts';
import { forward } from './forward.ts';

/** `/api/*`: the MT5 Web API itself; the bytes go through untouched. `URL` leaves percent signs of a path as they are. */
export async function passthroughRoute(request: Request, door: Door): Promise<Response> {
  const call = Object.assign(new DoorCall(request, door), { query: door.url.search.slice(1) });
  const { command, caller, body } = await admitCommand(call, door.config.customCommands);
  door.route = `/api/${command.path}`;
  const changes = changesOf(command);
  try {
    return await forward(request, door, { caller, isRead: !command.mutation, changes, ...(body ? { body } : {}) });
  } finally {
    if (changes.length > 0) wroteReference(door);
  }
}
