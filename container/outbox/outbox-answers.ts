import type { Actor } from '../contract/events.ts';
import type { AnswerOf, AnyRoute, RouteInput } from '../contract/route.ts';
import { type archiveRoutes, listArchive, readArchive } from '../contract/routes/archive.ts';
import { type auditRoutes, getAuditHead, listAudit, listEvents } from '../contract/routes/audit.ts';
import {
  createWebhook,
  deleteWebhook,
  disableWebhook,
  enableWebhook,
  listWebhookDeliveries,
  listWebhooks,
  replayWebhook,
  testWebhook,
  type webhookRoutes,
} from '../contract/routes/webhooks.ts';
import { keptDays, keptRows } from './archive/read-archive.ts';
import { readAudit } from './audit/read-audit.ts';
import type { Outbox } from './outbox.ts';
import type { Attempt } from './webhooks/attempts.ts';
import type { Webhook } from './webhooks/webhooks.ts';

/** Who asks, and by which name the bridge was reached. */
export interface Asked extends Actor {
  readonly host?: string | undefined;
}

type OutboxAnswer<R extends AnyRoute> = (outbox: Outbox, input: RouteInput<R>, by: Asked) => Promise<AnswerOf<R>>;

export type OutboxRoute =
  | (typeof auditRoutes)[number]
  | (typeof archiveRoutes)[number]
  | (typeof webhookRoutes)[number];

type OutboxAnswersOf<R extends AnyRoute> = { readonly [Id in R['id']]: OutboxAnswer<AnyRoute> };

/** Ties an answer to its route's types. */
const answers = <R extends AnyRoute>(route: R, answer: OutboxAnswer<R>): OutboxAnswersOf<R> =>
  ({ [route.id]: answer }) as OutboxAnswersOf<R>;

/** Routes that the outbox alone can answer, by operationId: one table for the Durable Object and the VPS. */
export const OUTBOX_ANSWERS: OutboxAnswersOf<OutboxRoute> = {
  ...answers(listAudit, async (outbox, { query: { from, to, ...query } }) => {
    const { store } = outbox.requireAudit();
    // What waits is stored first, if that can be done.
    if (query.cursor === undefined) await outbox.flush().catch(() => undefined);
    return readAudit(store, outbox.broker, { ...query, fromMs: from, toMs: to });
  }),
  ...answers(getAuditHead, async (outbox) => {
    const { log } = outbox.requireAudit();
    const { seq, hash, day } = log.head;
    const { pending, oldestAtMs, fault } = log.backlog;
    return {
      seq,
      hash,
      day: day === '' ? null : day,
      publicKey: log.publicKey,
      pending,
      oldestPendingAt: instant(oldestAtMs),
      oldestPendingAtMs: oldestAtMs,
      fault,
    };
  }),

  ...answers(listArchive, async (outbox, { params: { kind }, query }) => {
    const archive = outbox.requireArchive();
    const { items, nextCursor } = await keptDays(archive, kind, query);
    return {
      items: items.map(({ day, items, parts, readAtMs }) => ({
        day,
        items,
        bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
        objects: [...parts],
        readAt: new Date(readAtMs).toISOString(),
        readAtMs,
      })),
      nextCursor,
      fault: archive.faultOf(kind),
    };
  }),
  ...answers(readArchive, async (outbox, { params, query }) => {
    const { items, nextCursor } = await keptRows(outbox.requireArchive(), params, query);
    return { items: [...items], nextCursor };
  }),
  ...answers(listEvents, async (outbox, { query }) => ({ items: outbox.lastEvents(query.limit), nextCursor: null })),

  ...answers(createWebhook, async (outbox, { body }, by) => {
    const webhook = outbox.webhooks.create(body, by, by.host === undefined ? [] : [by.host]);
    return { secret: webhook.secret, webhook: view(outbox, webhook) };
  }),
  ...answers(listWebhooks, async (outbox) => ({
    items: outbox.webhooks.list().map((webhook) => view(outbox, webhook)),
    nextCursor: null,
  })),
  ...answers(deleteWebhook, async (outbox, { params }, by) => ({ deleted: outbox.webhooks.delete(params.id, by) })),
  ...answers(testWebhook, async (outbox, { params }, by) =>
    attemptView(await outbox.test(outbox.webhooks.require(params.id), by)),
  ),
  ...answers(disableWebhook, async (outbox, { params: { id } }, by) => {
    outbox.webhooks.require(id);
    outbox.webhooks.disable(id, `by ${by.caller}`, by);
    return view(outbox, outbox.webhooks.require(id));
  }),
  ...answers(enableWebhook, async (outbox, { params: { id } }, by) => {
    outbox.webhooks.enable(id, by);
    return view(outbox, outbox.webhooks.require(id));
  }),
  ...answers(listWebhookDeliveries, async (outbox, { params, query }) => {
    const { id } = outbox.webhooks.require(params.id);
    return { items: outbox.deliveries.attempts.of(id, query.limit).map(attemptView), nextCursor: null };
  }),
  ...answers(replayWebhook, async (outbox, { params, body }) => ({
    events: outbox.replay(outbox.webhooks.require(params.id), body.from),
  })),
};

/** Items that are read at once of a list that is told as lines: an object's records, and the lines of an archive's object. */
const LINES_AT_ONCE: Readonly<Record<string, number>> = { [listAudit.id]: 1_000, [readArchive.id]: 5_000 };

/** All items of a list, in parts: `page` answers what follows a cursor. */
export function everyItem(
  id: OutboxRoute['id'],
  input: RouteInput<AnyRoute>,
  page: (input: RouteInput<AnyRoute>) => Promise<unknown>,
): AsyncIterable<readonly object[]> {
  const limit = LINES_AT_ONCE[id] ?? 1_000;
  return everyPage(
    async (cursor) =>
      (await page({ ...input, query: { ...input.query, limit, cursor } })) as {
        items: readonly object[];
        nextCursor: string | null;
      },
  );
}

/** Whether a route of this operationId is answered here. */
export const isOutboxRoute = (id: string): id is OutboxRoute['id'] => Object.hasOwn(OUTBOX_ANSWERS, id);

/** All pages of a list, one after the other: `page` answers the one after a cursor. */
async function* everyPage<Item extends object>(
  page: (cursor: string | undefined) => Promise<{ items: readonly Item[]; nextCursor: string | null }>,
): AsyncIterable<readonly Item[]> {
  for (let cursor: string | undefined; ;) {
    const { items, nextCursor } = await page(cursor);
    yield items;
    if (nextCursor === null) return;
    cursor = nextCursor;
  }
}

const instant = (atMs: number | null): string | null => (atMs === null ? null : new Date(atMs).toISOString());

type WebhookView = AnswerOf<typeof listWebhooks>['items'][number];

function view(outbox: Outbox, found: Webhook): WebhookView {
  const { secret: _, ...webhook } = found;
  const { pending, oldestAtMs } = outbox.deliveries.backlogOf(webhook.id);
  return {
    ...webhook,
    createdAt: new Date(webhook.createdAtMs).toISOString(),
    disabledAt: instant(webhook.disabledAtMs),
    pending,
    oldestPendingAtMs: oldestAtMs,
  };
}

const attemptView = (attempt: Attempt): AnswerOf<typeof testWebhook> => ({
  ...attempt,
  at: new Date(attempt.atMs).toISOString(),
});
