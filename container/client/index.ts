/**
 * A typed client of the bridge, generated from its OpenAPI document. Needs `fetch` and nothing else: Node, Workers,
 * browsers. What the bridge refuses is thrown as `BridgeRequestError`; reads are tried again where the bridge says that
 * this is safe; writes get an idempotency key and are sent once.
 */
import createClient, { type FetchResponse, type MaybeOptionalInit, type Middleware } from 'openapi-fetch';
import type { HttpMethod, PathsWithMethod, RequiredKeysOf } from 'openapi-typescript-helpers';
import type { DataTopic } from '../contract/frames.ts';
import { readLines } from '../contract/read-lines.ts';
import type { components, paths } from './schema.ts';
import { sharedSockets } from './shared-socket.ts';
import { openStream, type Selection, type StreamEvent, type StreamOptions } from './streams.ts';
import { waitForOperation, type WaitOptions } from './wait-for-operation.ts';

export type { components, operations, paths } from './schema.ts';
export { BridgeStreamError, openStream } from './streams.ts';
export type { Selection, StreamEvent, StreamOptions } from './streams.ts';
export type { WaitOptions } from './wait-for-operation.ts';
export type Schemas = components['schemas'];
export type Problem = Schemas['Problem'];

export interface BridgeClientOptions {
  /** Where the bridge is: `https://mt5-edge-bridge.example.workers.dev`. */
  readonly baseUrl: string;
  /** API key, or the token of a consumer session. */
  readonly key: string;
  readonly fetch?: (request: Request) => Promise<Response>;
  /** For streams; default the runtime's own. */
  readonly webSocket?: StreamOptions['webSocket'];
  /** How often a read is tried again; default 2. */
  readonly retries?: number;
  /** For tests. */
  readonly random?: () => number;
  readonly sleep?: (ms: number) => Promise<void>;
}

interface Refusal {
  readonly status: number;
  readonly problem?: Problem | undefined;
  readonly isRead: boolean;
  readonly idempotencyKey: string | undefined;
  readonly retryAfterMs?: number;
  /** Why there is no answer. */
  readonly unreachable?: unknown;
}

/** A refusal of the bridge, or of what stands before it; or no answer at all. */
export class BridgeRequestError extends Error {
  /** 0 = no answer came; `cause` says why. */
  readonly status: number;
  /** `undefined` where the answer is no problem of the bridge. */
  readonly code: Problem['code'] | undefined;
  readonly retry: Problem['retry'];
  readonly outcome: Problem['outcome'];
  readonly problem: Problem | undefined;
  /** The key under which a write may be repeated or looked up. */
  readonly idempotencyKey: string | undefined;
  /** How long to wait at least before it is sent again. */
  readonly retryAfterMs: number;

  constructor({ status, problem, isRead, idempotencyKey, retryAfterMs = 0, unreachable }: Refusal) {
    const text = status === 0 ? 'The bridge did not answer.' : `The bridge answered ${status}.`;
    super(problem?.detail ?? text, unreachable === undefined ? {} : { cause: unreachable });
    this.name = 'BridgeRequestError';
    this.status = status;
    this.problem = problem;
    this.code = problem?.code;
    this.retry = problem?.retry ?? (isRead ? 'after' : 'check');
    this.outcome = problem?.outcome ?? (isRead ? 'not_sent' : 'unknown');
    this.idempotencyKey = idempotencyKey;
    this.retryAfterMs = retryAfterMs;
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

/** The caller's last argument may be left out where the route needs nothing. */
type InitArguments<Init> =
  RequiredKeysOf<Init> extends never ? [(Init & Record<string, unknown>)?] : [Init & Record<string, unknown>];

/** What a call resolves with: a refusal is thrown, so that there always is `data`. */
type Answered<Operation, Init> =
  Operation extends Record<string | number, unknown>
    ? Extract<FetchResponse<Operation, Init, 'application/json'>, { data: unknown }>
    : never;

/** @throws BridgeRequestError */
type Call<Method extends HttpMethod> = <
  Path extends PathsWithMethod<paths, Method>,
  Init extends MaybeOptionalInit<paths[Path], Method>,
>(
  path: Path,
  ...init: InitArguments<Init>
) => Promise<Answered<paths[Path][Method], Init>>;

export interface BridgeClient {
  readonly GET: Call<'get'>;
  readonly POST: Call<'post'>;
  readonly PATCH: Call<'patch'>;
  readonly PUT: Call<'put'>;
  readonly DELETE: Call<'delete'>;
  /**
   * A stream, as `openStream` gives one. Streams of different topics share one socket; where a topic is followed twice,
   * the second is on a socket of its own, since the bridge keeps one subscription of a topic for each socket.
   */
  stream<Topic extends DataTopic>(
    topic: Topic,
    selection: Selection<Topic>,
    options?: Pick<StreamOptions, 'signal' | 'onConnection'>,
  ): AsyncIterableIterator<StreamEvent<Topic>, undefined>;
  /**
   * The operation, as soon as its fate is known: not `sending`, `pending` or `unknown`.
   * @throws BridgeRequestError · the signal's reason; a time-out is a `TimeoutError`
   */
  waitForOperation(key: string, options?: WaitOptions): Promise<Schemas['Operation']>;
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

  /** Reads again what may be read again, with jitter, as the bridge asks. Writes are sent once. */
  const sendPatiently = async (request: Request): Promise<Response> => {
    for (let tries = 0; ; tries++) {
      const last = tries >= retries || !READS.has(request.method);
      const response = await sendOnce(send, last ? request : request.clone());
      if (response instanceof Response && response.ok) return response;
      const error = await refusalOf(request, response);
      if (last || !mayBeReadAgain(error)) throw error;
      const backoff = Math.min(FIRST_RETRY_MS * 2 ** tries, LONGEST_RETRY_MS);
      if (error.retryAfterMs > LONGEST_RETRY_MS) throw error;
      await sleep(Math.max(error.retryAfterMs, backoff) * (1 + random() / 4));
    }
  };

  const client = createClient<paths, 'application/json'>({ baseUrl, fetch: sendPatiently });
  client.use(headers(key));
  const socketFor = sharedSockets(options.webSocket);
  const bridge: BridgeClient = {
    // What is not `ok` was thrown: no call resolves with `error`.
    ...(client as unknown as Pick<BridgeClient, 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'>),
    stream: (topic, selection, more) =>
      openStream(topic, selection, { baseUrl, key, random, webSocket: socketFor(topic), ...more }),
    waitForOperation: (operationKey, more) => waitForOperation(bridge, operationKey, more),
    async *each<Path extends ListPath>(
      path: Path,
      parameters: ParametersOf<Path>,
    ): AsyncGenerator<ItemOf<Path>, void, undefined> {
      const { query, ...rest } = parameters as { query?: Record<string, unknown> };
      let cursor: string | null | undefined;
      do {
        const params = { ...rest, query: { ...query, ...(cursor ? { cursor } : {}) } };
        const get = bridge.GET as unknown as (path: string, init: unknown) => Promise<{ data: List<ItemOf<Path>> }>;
        const { data } = await get(path, { params });
        yield* data.items;
        cursor = data.nextCursor;
      } while (cursor);
    },
    async *lines<Path extends LinesPath>(
      path: Path,
      parameters: ParametersOf<Path>,
    ): AsyncGenerator<ItemOf<Path>, void, undefined> {
      const get = bridge.GET as unknown as (
        path: string,
        init: unknown,
      ) => Promise<{ data: ReadableStream<Uint8Array> }>;
      const init = { params: parameters, parseAs: 'stream', headers: { accept: 'application/x-ndjson' } };
      const { data } = await get(path, init);
      yield* readLines<ItemOf<Path>>(data, (told) => {
        const problem = told as Problem;
        return new BridgeRequestError({ status: problem.status, problem, isRead: true, idempotencyKey: undefined });
      });
    },
  };
  return bridge;
}

/** The answer, or why there is none. @throws what an aborted signal says */
async function sendOnce(
  send: (request: Request) => Promise<Response>,
  request: Request,
): Promise<Response | { unreachable: unknown }> {
  try {
    return await send(request);
  } catch (error) {
    if (request.signal.aborted && READS.has(request.method)) throw error;
    return { unreachable: error };
  }
}

async function refusalOf(request: Request, response: Response | { unreachable: unknown }): Promise<BridgeRequestError> {
  const isRead = READS.has(request.method);
  const idempotencyKey = request.headers.get('idempotency-key') ?? undefined;
  if (!(response instanceof Response))
    return new BridgeRequestError({ ...response, status: 0, isRead, idempotencyKey });
  const problem = await problemOf(response);
  const { status, headers: told } = response;
  const retryAfterMs = problem?.retryAfterMs ?? Number(told.get('retry-after') ?? 0) * 1000;
  return new BridgeRequestError({ status, problem, isRead, idempotencyKey, retryAfterMs });
}

/** A status of 0 is no answer at all. */
const mayBeReadAgain = ({ status, retry }: BridgeRequestError): boolean =>
  (status === 0 || status >= 429) && (retry === 'yes' || retry === 'after');

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
