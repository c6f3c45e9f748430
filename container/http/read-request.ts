import type { IncomingMessage } from 'node:http';
import type { BridgeError } from '../contract/errors.ts';

/** The value of a header that comes once. */
export const oneOf = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

export const headerOf =
  ({ headers }: IncomingMessage) =>
  (name: string): string | undefined =>
    oneOf(headers[name]);

/** At the first `?`, which alone ends a path; nothing is decoded. */
export function splitTarget(target: string): [path: string, query: string] {
  const mark = target.indexOf('?');
  return mark < 0 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)];
}

/**
 * The body, bounded: nothing beyond the limit is kept. The stream is not destroyed, so that the refusal can still be sent.
 * @throws what `tooLarge` makes
 */
export async function readBytes(
  request: IncomingMessage,
  maxBytes: number,
  tooLarge: () => BridgeError,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}
