import type { AnyRoute } from '../contract/route.ts';
import { everyItem, OUTBOX_ANSWERS, type OutboxRoute } from '../outbox/outbox-answers.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { rfc3339 } from '../webapi/time.ts';
import { actorOf, type HandlersOf, type RouteHandler } from './handler.ts';

/** The routes of the outbox, where the program itself holds it. */
export function outboxHandlers(outbox: Outbox): HandlersOf<OutboxRoute> {
  return Object.fromEntries(
    Object.entries(OUTBOX_ANSWERS).map(([id, answer]): [string, RouteHandler<AnyRoute>] => [
      id,
      async (input, context) => {
        const by = actorOf(context);
        if (!context.takesWhole) return { body: await answer(outbox, input, by) };
        const readAtMs = Date.now();
        const rows = everyItem(id as OutboxRoute['id'], input, (page) => answer(outbox, page, by));
        return { body: { readAt: rfc3339(readAtMs), readAtMs }, rows };
      },
    ]),
  ) as HandlersOf<OutboxRoute>;
}
