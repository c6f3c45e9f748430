import { asBridgeError, BridgeError, toProblem } from '../contract/errors.ts';
import type { AnswerOf } from '../contract/route.ts';
import { postBatch } from '../contract/routes/batch.ts';
import { handle } from '../service/handler.ts';
import type { HandlersOf, RouteContext } from '../service/handler.ts';
import type { TypedApi } from './serve-routes.ts';

/** Reads of one batch that run at one time: more would only queue before the connections, ahead of other callers. */
const CONCURRENCY = 8;

/** The batch, over the very function that serves single requests: nothing is allowed here that is not there. */
export function serveBatch(api: TypedApi): HandlersOf<typeof postBatch> {
  return handle(postBatch, async ({ body, decimals }, context) => {
    const { requests } = body;
    const items: BatchItem[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      for (let at = next++; at < requests.length; at = next++) {
        const { id = null, path = '' } = requests[at] ?? {};
        items[at] = { id, ...(await answerOne(api, path, decimals, context)) };
      }
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, requests.length) }, work));
    return { body: { items } };
  });
}

type BatchItem = AnswerOf<typeof postBatch>['items'][number];

/** A read that came as a line of a batch: no headers, no body. */
const BATCHED_READ = {
  method: 'GET',
  hasBody: false,
  header: (): undefined => undefined,
  readBody: async () => new Uint8Array(),
  charge: (): undefined => undefined,
};

async function answerOne(
  api: TypedApi,
  target: string,
  decimals: string,
  context: RouteContext,
): Promise<Omit<BatchItem, 'id'>> {
  try {
    const url = new URL(target, 'http://bridge.invalid');
    if (!url.pathname.startsWith('/v1/') || url.host !== 'bridge.invalid')
      throw new BridgeError('route_not_found', 'A batch takes paths under /v1/.');
    if (!url.searchParams.has('decimals')) url.searchParams.set('decimals', decimals);
    const call = { ...BATCHED_READ, query: url.searchParams, caller: () => context.caller };
    const { status, body } = await api.answer(api.match('GET', url.pathname), call, context);
    return { status, body, problem: null };
  } catch (thrown) {
    const error = asBridgeError(thrown);
    return { status: error.status, body: null, problem: toProblem(error, context.requestId) };
  }
}
