import { HEADER } from '../../../container/contract/headers.ts';
import { etagMatches, keptHeaders } from '../../../container/contract/reference-data.ts';
import type { PlainAnswer } from '../door.ts';
import { cacheStatus, readTold } from '../../reference-wire.ts';
import type { MemoryAnswer } from './isolate-memory.ts';

/** The caller's answer, with its age. @param status `Cache-Status`, where the isolate's memory alone did not answer */
export function keptAnswer(kept: MemoryAnswer, request: Request, nowMs: number, status?: string): PlainAnswer {
  const ttlMs = kept.readAtMs + kept.freshForMs - nowMs;
  const detail = ttlMs > 0 ? null : (kept.stale ?? 'being renewed');
  const headers: Record<string, string> = {
    ...keptHeaders(kept, nowMs),
    'cache-status': status ?? cacheStatus('isolate', { hit: true, ttlMs, detail }),
  };
  if (etagMatches(request.headers.get('if-none-match'), kept.etag)) return { status: 304, headers, body: null };
  headers['content-type'] = kept.contentType;
  return { status: 200, headers, body: request.method === 'HEAD' ? null : kept.body };
}

/** The same, as a response. */
export function respond(...of: Parameters<typeof keptAnswer>): Response {
  const { body, status, headers } = keptAnswer(...of);
  return new Response(body, { status, headers });
}

/** What the Durable Object told; undefined where it is no answer of reference data. @param before what the isolate has */
export async function toldAnswer(
  answer: Response,
  { route, of, storeKey }: Pick<MemoryAnswer, 'route' | 'of' | 'storeKey'>,
  before: MemoryAnswer | undefined,
  nowMs: number,
): Promise<{ kept: MemoryAnswer; status: string } | undefined> {
  const told = readTold(answer.headers);
  if (!told) return undefined;
  const { generation, readAtMs, freshForMs, stale } = told;
  const body = answer.status === 304 && before ? before.body : new Uint8Array(await answer.arrayBuffer());
  const kept: MemoryAnswer = {
    route,
    of,
    storeKey,
    body,
    contentType: answer.headers.get('content-type') ?? '',
    etag: answer.headers.get('etag') ?? '',
    readAtMs,
    freshForMs,
    generation,
    toldAtMs: nowMs,
    stale,
    isAsked: false,
  };
  return { kept, status: told.cacheStatus };
}

/** An answer that is passed on as it came, with the isolate's word in its `Cache-Status`. */
export function passedOn(answer: Response, status: string): Response {
  const passed = new Response(answer.body, answer);
  passed.headers.delete(HEADER.reference);
  passed.headers.append('cache-status', status);
  return passed;
}
