import type { AnswerOf, AnyRoute } from '../contract/route.ts';
import { listAudit } from '../contract/routes/audit.ts';
import { everyPage, OUTBOX_ANSWERS, type OutboxRoute } from '../outbox/outbox-answers.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { rfc3339 } from '../webapi/time.ts';
import { actorOf, type HandlersOf, type RouteHandler } from './handler.ts';

/** Records of one part of a list as lines. */
const LINES_AT_ONCE = 1000;

/** The routes of the outbox, where the program itself holds it. */
export function outboxHandlers(outbox: Outbox): HandlersOf<OutboxRoute> {
  const handlers = Object.fromEntries(
    Object.entries(OUTBOX_ANSWERS).map(([id, answer]): [string, RouteHandler<AnyRoute>] => [
      id,
      async (input, context) => ({ body: await answer(outbox, input, actorOf(context)) }),
    ]),
  ) as HandlersOf<OutboxRoute>;
  const { listAudit: page } = OUTBOX_ANSWERS;
  return {
    ...handlers,
    [listAudit.id]: async (input, context) => {
      const by = actorOf(context);
      if (!context.takesLines) return { body: await page(outbox, input, by) };
      const readAtMs = Date.now();
      const rows = everyPage(async (cursor): Promise<AnswerOf<typeof listAudit>> =>
        page(outbox, { ...input, query: { ...input.query, limit: LINES_AT_ONCE, cursor } }, by),
      );
      return { body: { readAt: rfc3339(readAtMs), readAtMs }, rows };
    },
  };
}
