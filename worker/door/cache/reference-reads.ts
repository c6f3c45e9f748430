import { waitUntil } from 'cloudflare:workers';
import { requireRights } from '../../../container/contract/admission.ts';
import { HEADER } from '../../../container/contract/headers.ts';
import type { Caller } from '../../../container/contract/keys.ts';
import { oldestAskedMs, type ReferenceClass } from '../../../container/contract/reference-data.ts';
import type { AnyRoute, RouteInput } from '../../../container/contract/route.ts';
import { cacheStatus, type Generations, type ReferenceState } from '../../reference-wire.ts';
import type { Door, PlainAnswer } from '../door.ts';
import { forward } from '../forward.ts';
import { decideMemory } from './decide.ts';
import { Answered, IsolateMemory, type MemoryAnswer, type Sight } from './isolate-memory.ts';
import { KnownGenerations } from './known-generations.ts';
import { keptAnswer, passedOn, respond, toldAnswer } from './memory-answer.ts';

/** One per isolate. */
const memory = new IsolateMemory();
const brokers = new Map<string, { readonly generations: KnownGenerations; readonly answered: Answered }>();

const ofBroker = ({ broker }: Door): { readonly generations: KnownGenerations; readonly answered: Answered } => {
  let found = brokers.get(broker.id);
  if (!found) brokers.set(broker.id, (found = { generations: new KnownGenerations(), answered: new Answered() }));
  return found;
};

const memoryKey = ({ broker, url }: Door): string => `${broker.id} ${url.pathname}${url.search}`;
const sightOf = ({ logins }: Caller): Sight => (logins ? 'bound' : 'all');

/** A request for JSON: lists may be told as lines or tables too, which are not kept. */
const takesJson = (headers: Headers): boolean => !/csv|ndjson/i.test(headers.get('accept') ?? '');
const isRead = ({ method }: Request): boolean => method === 'GET' || method === 'HEAD';

/** The class of what this request asks for, where its answer may be one that is kept, and may be kept. */
export const referenceClassOf = ({ cacheable }: AnyRoute, request: Request): ReferenceClass | undefined =>
  isRead(request) && takesJson(request.headers) ? cacheable : undefined;

/**
 * A read that this isolate answered before and may again: its target was valid then, so that only the caller is looked
 * at. Nothing is asked of a Durable Object but, every three seconds, the keys and the generations.
 * @returns undefined: it goes the long way
 * @throws BridgeError for who may not
 */
export async function fromMemory(request: Request, door: Door): Promise<PlainAnswer | undefined> {
  const { headers } = request;
  if (!isRead(request) || request.body !== null || headers.has(HEADER.idempotencyKey) || !takesJson(headers))
    return undefined;
  const key = memoryKey(door);
  const slot = memory.find(key);
  const route = (slot?.all ?? slot?.bound)?.route;
  if (!slot || !route) return undefined;
  door.route = route.path;
  const caller = await door.admit(headers);
  requireRights(route, caller);
  const kept = slot[sightOf(caller)];
  if (!kept) return undefined;
  const known = await generationsOf(door);
  if (!known) return undefined;
  if (known[kept.of] !== kept.generation) {
    memory.delete(key);
    return undefined;
  }
  const nowMs = Date.now();
  const oldestMs = oldestAskedMs((name) => headers.get(name));
  const decision = decideMemory({ ...kept, nowMs, isUnasked: !kept.isAsked, oldestMs });
  if (decision === 'ask') return undefined;
  if (decision === 'answer, ask') {
    kept.isAsked = true;
    waitUntil(askBehind(request, door, { ...kept, caller, kept }));
  }
  ofBroker(door).answered.count(kept.of, nowMs >= kept.readAtMs + kept.freshForMs);
  return keptAnswer(kept, request, nowMs);
}

/** A read that was admitted, of reference data. @throws BridgeError */
export async function referenceRead(
  request: Request,
  door: Door,
  { route, of, input, caller }: { route: AnyRoute; of: ReferenceClass; input: RouteInput<AnyRoute>; caller: Caller },
): Promise<Response> {
  const { params, query, decimals } = input;
  const storeKey = JSON.stringify([route.id, sightOf(caller), decimals, params, query]);
  const kept = memory.find(memoryKey(door))?.[sightOf(caller)];
  const oldestMs = oldestAskedMs((name) => request.headers.get(name));
  const fwd = !kept ? 'uri-miss' : oldestMs === null ? 'stale' : 'request';
  const read: Read = { route, of, storeKey, caller, kept };
  let asked: Asked;
  try {
    asked = await ask(request, door, read, { oldestMs, behind: false });
  } catch (error) {
    // The Durable Object is not to be had. What its isolate has is better than nothing for who takes it.
    if (!kept || oldestMs !== null) throw error;
    return respond({ ...kept, stale: 'its Durable Object does not answer' }, request, Date.now());
  }
  const { answer, told } = asked;
  if (!told) return passedOn(answer, cacheStatus('isolate', { fwd, fwdStatus: answer.status }));
  const status = `${told.status}, ${cacheStatus('isolate', { fwd, stored: true })}`;
  return respond(told.kept, request, Date.now(), status);
}

/** A write that may have changed something was sent: what is kept here is looked at anew before it is given again. */
export const wroteReference = (door: Door): void => ofBroker(door).generations.forget();

/** What the cache of the door's broker did, this isolate's part included. */
export const referenceState = (door: Door): Promise<ReferenceState> =>
  ofBroker(door).answered.told((counts) => door.bridge.referenceState(counts));

interface Read extends Pick<MemoryAnswer, 'route' | 'of' | 'storeKey'> {
  readonly caller: Caller;
  readonly kept: MemoryAnswer | undefined;
}

interface Asked {
  readonly answer: Response;
  readonly told: { readonly kept: MemoryAnswer; readonly status: string } | undefined;
}

/** Asks the Durable Object, and keeps what it tells. */
async function ask(
  request: Request,
  door: Door,
  read: Read,
  { oldestMs, behind }: { oldestMs: number | null; behind: boolean },
): Promise<Asked> {
  const { of, storeKey, kept, caller } = read;
  const reference = { class: of, key: storeKey, oldestMs, behind, etag: kept?.etag ?? null };
  const answer = await forward(request, door, { caller, isRead: true, reference });
  const told = await toldAnswer(answer, read, kept, Date.now());
  if (told) {
    memory.put(memoryKey(door), sightOf(caller), told.kept);
    ofBroker(door).generations.heard(of, told.kept.generation);
  }
  return { answer, told };
}

async function askBehind(request: Request, door: Door, read: Read & { readonly kept: MemoryAnswer }): Promise<void> {
  try {
    const { answer, told } = await ask(request, door, read, { oldestMs: null, behind: true });
    if (!told) await answer.body?.cancel();
  } catch {
    // Whoever has to wait for it is told.
  } finally {
    read.kept.isAsked = false;
  }
}

/** As far as they are to be believed; undefined where the Durable Object does not tell them. */
async function generationsOf(door: Door): Promise<Generations | undefined> {
  const { generations } = ofBroker(door);
  const nowMs = Date.now();
  const known = generations.get(nowMs);
  if (known && !generations.isDue(nowMs)) return known;
  const refreshing = generations.refresh(() => referenceState(door), nowMs).catch(() => undefined);
  if (!known) return refreshing;
  waitUntil(refreshing);
  return known;
}
