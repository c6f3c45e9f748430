/**
 * A typed client of the bridge, generated from its OpenAPI document. Needs `fetch` and nothing else: Node, Workers,
 * browsers. What the bridge refuses is thrown as `BridgeRequestError`; reads are tried again where the bridge says that
 * this is safe; writes get an idempotency key and are sent once.
 */
import createClient, { type Client, type Middleware } from 'openapi-fetch';
import { readLines } from './lines.ts';
import type { components, paths } from './schema.ts';

export type { components, operations, paths } from './schema.ts';
export { BridgeStreamError, openStream } from './streams.ts';
export type { StreamEvent, StreamOptions } from './streams.ts';
export type Schemas = components['schemas'];
export type Problem = Schemas['Problem'];

export interface BridgeClientOptions {
  /** Where the bridge is: `https://mt5-edge-bridge.example.workers.dev`. */
  readonly baseUrl: string;
  /** API key, or the token of a consumer session. */
  readonly key: string;
  readonly fetch?: (request: Request) => Promise<Response>;
  /** How often a read is tried again; default 2. */
  readonly retries?: number;
  /** For tests. */
  readonly random?: () => number;
  readonly sleep?: (ms: number) => Promise<void>;
}

/** A refusal of the bridge, or of what stands before it. */
export class BridgeRequestError extends Error {
  readonly status: number;
  /** `undefined` where the answer is no problem of the bridge. */
  readonly code: Problem['code'] | undefined;
  readonly retry: Problem['retry'];
  readonly outcome: Problem['outcome'];
  readonly problem: Problem | undefined;
  /** The key under which a write may be repeated or looked up. */
  readonly idempotencyKey: string | undefined;

  constructor(status: number, problem: Problem | undefined, isRead: boolean, idempotencyKey: string | undefined) {
    super(problem?.detail ?? `The bridge answered ${status}.`);
    this.name = 'BridgeRequestError';
    this.status = status;
    this.problem = problem;
    this.code = problem?.code;
    this.retry = problem?.retry ?? (isRead ? 'after' : 'check');
    this.outcome = problem?.outcome ?? (isRead ? 'not_sent' : 'unknown');
    this.idempotencyKey = idempotencyKey;
  }
}

type ListPath = {
  [Path in keyof paths]: paths[Path] extends {
    get: {
      responses: { 200: { content: { 'application/json': { items: readonly unknown[]; nextCursor: string | null } } } };
    };
  }
    ? Path
    : never;
}[keyof paths];

/** Lists that come as lines too. */
type LinesPath = {
  [Path in ListPath]: paths[Path] extends {
    get: { responses: { 200: { content: { 'application/x-ndjson': string } } } };
  }
    ? Path
    : never;
}[ListPath];

type ItemOf<Path extends ListPath> = paths[Path] extends {
  get: { responses: { 200: { content: { 'application/json': { items: readonly (infer Item)[] } } } } };
}
  ? Item
  : never;

type ParametersOf<Path extends ListPath> = paths[Path] extends { get: { parameters: infer Parameters } }
  ? Pick<Parameters, Extract<'path' | 'query', keyof Parameters>>
  : never;

export interface BridgeClient extends Omit<Client<paths, 'application/json'>, 'use' | 'eject'> {
  /** Every item of a list, page by page. */
  each<Path extends ListPath>(
    path: Path,
    parameters: ParametersOf<Path>,
  ): AsyncGenerator<ItemOf<Path>, void, undefined>;
  /** Every item of a list in one answer, as it is read and in no order. @throws where the list breaks off */
  lines<Path extends LinesPath>(
    path: Path,
    parameters: ParametersOf<Path>,
  ): AsyncGenerator<ItemOf<Path>, void, undefined>;
}

const READS = new Set(['GET', 'HEAD']);
/** Waits between tries of a read: at first, and at most. */
const FIRST_RETRY_MS = 200;
const LONGEST_RETRY_MS = 10_000;

export function createBridgeClient(options: BridgeClientOptions): BridgeClient {
  const { baseUrl, key, retries = 2, random = Math.random } = options;
  const send = options.fetch ?? ((request: Request) => fetch(request));
  const sleep = options.sleep ?? ((ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)));

  /** Reads again what may be read again, with jitter, as the bridge asks. */
  const sendPatiently = async (request: Request): Promise<Response> => {
    for (let tries = 0; ; tries++) {
      const last = tries >= retries || !READS.has(request.method);
      const response = await send(last ? request : request.clone());
      if (response.ok || response.status === 304) return response;
      const problem = await problemOf(response);
      const idempotencyKey = request.headers.get('idempotency-key') ?? undefined;
      const error = new BridgeRequestError(response.status, problem, READS.has(request.method), idempotencyKey);
      if (last || (error.retry !== 'yes' && error.retry !== 'after') || response.status < 429) throw error;
      const asked = problem?.retryAfterMs ?? Number(response.headers.get('retry-after') ?? 0) * 1000;
      const backoff = Math.min(FIRST_RETRY_MS * 2 ** tries, LONGEST_RETRY_MS);
      if (asked > LONGEST_RETRY_MS) throw error;
      await sleep(Math.max(asked, backoff) * (1 + random() / 4));
    }
  };

  const client = createClient<paths, 'application/json'>({ baseUrl, fetch: sendPatiently });
  client.use(headers(key));
  return Object.assign(client, {
    async *each<Path extends ListPath>(
      path: Path,
      parameters: ParametersOf<Path>,
    ): AsyncGenerator<ItemOf<Path>, void, undefined> {
      const { query, ...rest } = parameters as { query?: Record<string, unknown> };
      let cursor: string | null | undefined;
      do {
        const params = { ...rest, query: { ...query, ...(cursor ? { cursor } : {}) } };
        const get = client.GET as unknown as (path: string, init: unknown) => Promise<{ data: List<ItemOf<Path>> }>;
        const { data } = await get(path, { params });
        yield* data.items;
        cursor = data.nextCursor;
      } while (cursor);
    },
    async *lines<Path extends LinesPath>(
      path: Path,
      parameters: ParametersOf<Path>,
    ): AsyncGenerator<ItemOf<Path>, void, undefined> {
      const get = client.GET as unknown as (
        path: string,
        init: unknown,
      ) => Promise<{ data: ReadableStream<Uint8Array> }>;
      const init = { params: parameters, parseAs: 'stream', headers: { accept: 'application/x-ndjson' } };
      const { data } = await get(path, init);
      yield* readLines<ItemOf<Path>>(data, (told) => {
        const problem = told as Problem;
        return new BridgeRequestError(problem.status, problem, true, undefined);
      });
    },
  });
}

interface List<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

const headers = (key: string): Middleware => ({
  onRequest({ request }) {
    request.headers.set('authorization', `Bearer ${key}`);
    if (!READS.has(request.method) && !request.headers.has('idempotency-key'))
      request.headers.set('idempotency-key', crypto.randomUUID());
    return request;
  },
});

async function problemOf(response: Response): Promise<Problem | undefined> {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') ?? false;
  const text = await response.text();
  if (!isProblem) return undefined;
  try {
    return JSON.parse(text) as Problem;
  } catch {
    return undefined;
  }
}
