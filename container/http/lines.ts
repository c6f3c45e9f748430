import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { TextLines } from './answer.ts';

/** A reader that takes nothing for so long is gone. */
const SILENCE_MS = 60_000;

/** As fast as the reader takes them, and no faster than they come. A reader that goes away, or stands still, ends it. */
export async function writeLines(
  response: ServerResponse,
  headers: readonly string[],
  { type, text: lines }: TextLines,
): Promise<void> {
  response.writeHead(200, [...headers, 'content-type', type, 'cache-control', 'no-store']);
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
