import type { AnswerOf } from '../../../container/contract/route.ts';
import type { getPerformanceCache } from '../../../container/contract/routes/monitoring.ts';
import { perClass } from '../../reference-wire.ts';
import type { Door } from '../door.ts';
import { referenceState } from './reference-reads.ts';

type CacheAnswer = AnswerOf<typeof getPerformanceCache>;

/** What the container tells of its cache, and what the door knows of its own. */
export async function withDoorCache(answer: Response, door: Door): Promise<Response> {
  if (answer.status !== 200 || answer.body === null) return answer;
  const [container, { statistics }] = await Promise.all([answer.json<CacheAnswer>(), referenceState(door)]);
  const byClass = perClass((one) => {
    const counts = statistics.byClass[one];
    const hits = counts.memoryHits + counts.storeHits;
    const asked = hits + counts.misses;
    return { ...counts, hitRate: asked === 0 ? null : hits / asked };
  });
  const body: CacheAnswer = { ...container, door: { entries: statistics.entries, byClass } };
  const headers = new Headers(answer.headers);
  headers.delete('content-length');
  return new Response(JSON.stringify(body), { headers });
}
