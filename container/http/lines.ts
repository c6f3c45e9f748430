import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { asBridgeError, toProblem } from '../contract/errors.ts';
import { LINES_TYPE } from '../contract/headers.ts';

export interface LinesOf {
  readonly rows: AsyncIterable<readonly object[]>;
  /** Writes decimals as the caller wants them. */
  readonly convert: (rows: readonly object[]) => readonly unknown[];
  readonly readAt: string;
  readonly readAtMs: number;
  readonly requestId: string;
}

/** A reader that takes nothing for so long is gone. */
const SILENCE_MS = 60_000;

/**
 * A list as lines, part by part. The last one says that it is whole, or why it is not. What fails before the first part is
 * thrown: nothing has been answered then.
 */
export async function linesOf({ rows, convert, readAt, readAtMs, requestId }: LinesOf): Promise<AsyncIterable<string>> {
  const parts = rows[Symbol.asyncIterator]();
  let part = await parts.next();
  return (async function* lines() {
    let items = 0;
    try {
      for (; !part.done; part = await parts.next()) {
        items += part.value.length;
        const text = convert(part.value)
          .map((row) => `${JSON.stringify(row)}\n`)
          .join('');
        if (text !== '') yield text;
      }
      yield `${JSON.stringify({ end: true, items, readAt, readAtMs })}\n`;
    } catch (error) {
      yield `${JSON.stringify({ end: false, items, problem: toProblem(asBridgeError(error), requestId) })}\n`;
    } finally {
      await parts.return?.();
    }
  })();
}

/** As fast as the reader takes them, and no faster than they come. A reader that goes away, or stands still, ends it. */
export async function writeLines(
  response: ServerResponse,
  headers: readonly string[],
  lines: AsyncIterable<string>,
): Promise<void> {
  response.writeHead(200, [...headers, 'content-type', LINES_TYPE, 'cache-control', 'no-store']);
  for await (const text of lines) {
    if (response.destroyed) return;
    if (!response.write(text)) await drained(response);
  }
  response.end();
}

async function drained(response: ServerResponse): Promise<void> {
  const giveUp = new AbortController();
  const onClose = (): void => giveUp.abort();
  response.once('close', onClose);
  const timer = setTimeout(() => response.destroy(), SILENCE_MS);
  try {
    await once(response, 'drain', { signal: giveUp.signal });
  } catch {
    // It closed: the next look at it says so.
  } finally {
    clearTimeout(timer);
    response.off('close', onClose);
  }
}
