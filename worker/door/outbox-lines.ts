import type { AnswerForm } from '../../container/contract/admission.ts';
import type { Actor } from '../../container/contract/events.ts';
import { CSV_TYPE, LINES_TYPE } from '../../container/contract/headers.ts';
import { csvOf, linesOf } from '../../container/contract/lines.ts';
import type { AnyRoute, RouteInput } from '../../container/contract/route.ts';
import { everyItem, type OutboxRoute } from '../../container/outbox/outbox-answers.ts';
import { type PlainInput, untold } from '../told.ts';
import type { Door } from './door.ts';

export interface OutboxLinesOf {
  readonly route: AnyRoute & { readonly id: OutboxRoute['id'] };
  readonly input: RouteInput<AnyRoute>;
  readonly by: Actor;
  readonly door: Door;
  readonly form: AnswerForm;
}

/** A whole list of the outbox as lines or as a table, page by page, as fast as it is read. */
export async function outboxLines({ route, input, by, door, form }: OutboxLinesOf): Promise<Response> {
  const rows = everyItem(
    route.id,
    input,
    async (page) => JSON.parse(untold(await door.outbox.answer(route.id, page as PlainInput, by))) as unknown,
  );
  const readAtMs = door.startedAtMs;
  const readAt = new Date(readAtMs).toISOString();
  const asCsv = form === 'csv' ? route.table : undefined;
  const lines = asCsv
    ? await csvOf(rows, asCsv)
    : await linesOf({ rows, convert: (part) => part, readAt, readAtMs, requestId: door.requestId });
  return new Response(streamOf(lines), {
    headers: { 'content-type': asCsv ? CSV_TYPE : LINES_TYPE, 'cache-control': 'no-store' },
  });
}

/** As fast as it is read. */
function streamOf(lines: AsyncIterable<string>): ReadableStream<Uint8Array> {
  const parts = lines[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const part = await parts.next();
      if (part.done) controller.close();
      else controller.enqueue(encoder.encode(part.value));
    },
    async cancel() {
      await parts.return?.();
    },
  });
}
