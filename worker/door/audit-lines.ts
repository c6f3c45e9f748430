import type { Actor } from '../../container/contract/events.ts';
import { CSV_TYPE, LINES_TYPE } from '../../container/contract/headers.ts';
import { csvOf, linesOf } from '../../container/contract/lines.ts';
import type { AnswerOf, AnyRoute, RouteInput } from '../../container/contract/route.ts';
import { AUDIT_CSV, listAudit } from '../../container/contract/routes/audit.ts';
import { everyPage } from '../../container/outbox/outbox-answers.ts';
import { untold } from '../told.ts';
import type { Door } from './door.ts';

/** Records of one part. */
const AT_ONCE = 1000;

export interface AuditLinesOf {
  readonly input: RouteInput<AnyRoute>;
  readonly by: Actor;
  readonly door: Door;
  readonly takesCsv: boolean;
}

/** The whole audit as lines or as a table, page by page, as fast as it is read. */
export async function auditLines({ input, by, door, takesCsv }: AuditLinesOf): Promise<Response> {
  const rows = everyPage(async (cursor) => {
    const query = { ...input.query, limit: AT_ONCE, cursor };
    const text = untold(await door.outbox.answer(listAudit.id, { ...input, query }, by));
    return JSON.parse(text) as AnswerOf<typeof listAudit>;
  });
  const readAtMs = door.startedAtMs;
  const readAt = new Date(readAtMs).toISOString();
  const lines = takesCsv
    ? await csvOf(rows, AUDIT_CSV)
    : await linesOf({ rows, convert: (part) => part, readAt, readAtMs, requestId: door.requestId });
  return new Response(streamOf(lines), {
    headers: { 'content-type': takesCsv ? CSV_TYPE : LINES_TYPE, 'cache-control': 'no-store' },
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
