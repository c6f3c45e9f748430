import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { requireRights } from '../contract/admission.ts';
import type { ClusterStatus } from '../contract/cluster.ts';
import type { CustomCommands } from '../contract/custom-commands.ts';
import { BridgeError } from '../contract/errors.ts';
import { INTERNAL_PREFIX } from '../contract/headers.ts';
import { METRICS_TYPE } from '../contract/metrics/catalog.ts';
import { etagMatches, keptHeaders, oldestAskedMs } from '../contract/reference-data.ts';
import { unauthenticated } from '../contract/keys.ts';
import { getMetrics } from '../contract/routes/monitoring.ts';
import { getStatus } from '../contract/routes/server.ts';
import { admit, type AdmitOptions, answerProblem, requirePlainTarget } from '../http/api.ts';
import { writeAnswer } from '../http/answer.ts';
import { headerOf, splitTarget } from '../http/read-request.ts';
import { type FactsOptions, OpenFacts } from '../http/request-facts.ts';
import { NOT_THE_HOLDER } from './ask-holder.ts';
import { type Forward, headersOf } from './forward.ts';
import type { HolderWatch } from './holder-watch.ts';
import type { ReferenceAnswer, ReferenceAnswers } from './reference-answers.ts';
import { changesOf, referenceRead, type ReferenceRead } from './reference-routes.ts';

export interface FollowerOptions extends FactsOptions, AdmitOptions {
  readonly forward: Forward;
  readonly holders: HolderWatch;
  readonly references: ReferenceAnswers;
  readonly fromReplica: (request: IncomingMessage) => boolean;
  readonly customCommands: CustomCommands;
  readonly status: () => ClusterStatus;
  /** The text of `/metrics`, of this replica. */
  readonly metrics: () => string;
  readonly onReference: (result: 'hit' | 'miss') => void;
}

/**
 * The API of a replica that does not hold the session: reference data from its memory, its own part of the status and of
 * the metrics, and everything else from the holder.
 */
export class Follower {
  readonly #options: FollowerOptions;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  readonly listener: RequestListener = (request, response) => {
    const facts = new OpenFacts(request, response, this.#options);
    facts.route = 'forwarded';
    this.#answer(request, response, facts).catch((thrown: unknown) =>
      answerProblem(this.#options.log, thrown, request, response, facts),
    );
  };

  async #answer(request: IncomingMessage, response: ServerResponse, facts: OpenFacts): Promise<void> {
    const { draining, fromReplica, forward, references, customCommands } = this.#options;
    // It took this one for the holder, which may have been here before its process was started again. Sent on, it could go in
    // a circle.
    if (fromReplica(request)) return answerNotTheHolder(response);
    if (draining()) throw new BridgeError('draining', 'This replica shuts down; another one answers.');
    const { url = '', method = '' } = request;
    requirePlainTarget(url);
    const [path] = splitTarget(url);
    // Sent on, it would come from a replica.
    if (path.startsWith(INTERNAL_PREFIX)) throw new BridgeError('route_not_found', 'No such route.');
    if (path === getMetrics.path) return this.#metrics(request, response, facts);
    if (path === getStatus.path && method === 'GET') return this.#status(request, response, facts);
    const read = referenceRead(request);
    if (read) return this.#reference(read, request, response, facts);
    const changes = changesOf(method, path, customCommands);
    let isRefused = false;
    try {
      const status = await forward.serve(request, response, facts.requestId);
      isRefused = status >= 400 && status < 500;
    } finally {
      // The holder tells everybody; who asks here next may be quicker.
      if (changes.length > 0 && !isRefused) references.forget(changes);
    }
  }

  async #metrics(request: IncomingMessage, response: ServerResponse, facts: OpenFacts): Promise<void> {
    facts.route = getMetrics.path;
    await admit(request, facts, this.#options);
    if (!facts.caller) throw unauthenticated();
    requireRights(getMetrics, facts.caller);
    const headers = ['content-type', METRICS_TYPE, 'cache-control', 'no-store'];
    writeAnswer(response, facts.commonHeaders(), { status: 200, headers, body: this.#options.metrics() });
  }

  /** The holder's, as this replica sees the cluster. */
  async #status(request: IncomingMessage, response: ServerResponse, { requestId }: OpenFacts): Promise<void> {
    await this.#options.forward.serve(request, response, requestId, async (answer) => {
      const told = JSON.parse((await bodyOf(answer)).toString()) as object;
      const body = JSON.stringify({ ...told, cluster: this.#options.status() });
      writeAnswer(response, [], { status: 200, headers: withoutLength(headersOf(answer)), body });
    });
  }

  async #reference(
    read: ReferenceRead,
    request: IncomingMessage,
    response: ServerResponse,
    facts: OpenFacts,
  ): Promise<void> {
    const { authenticate, addressOf, references, holders, forward, onReference } = this.#options;
    const header = headerOf(request);
    const caller = await authenticate(header, { address: () => addressOf(request), connection: request.socket });
    if (!caller) throw unauthenticated();
    requireRights(read.route, caller);
    const key = `${caller.logins ? 'bound' : 'all'} ${request.url}`;
    const kept = references.find(key, oldestAskedMs(header), holders.holder === undefined);
    if (kept) {
      onReference('hit');
      facts.route = read.route.path;
      facts.caller = caller;
      facts.charge(1);
      return this.#give(kept, request, response, facts);
    }
    onReference('miss');
    const { generation } = references;
    const { requestId } = facts;
    if (request.method === 'HEAD') return void (await forward.serve(request, response, requestId));
    await forward.serve(request, response, requestId, async (answer) => {
      const body = await bodyOf(answer);
      const told = answerOf(answer, body, read, this.#options.now());
      if (told) references.keep(key, told, generation);
      writeAnswer(response, [], { status: 200, headers: withoutLength(headersOf(answer)), body });
    });
  }

  #give(kept: ReferenceAnswer, request: IncomingMessage, response: ServerResponse, facts: OpenFacts): void {
    const { etag, body, contentType, readAtMs, freshForMs } = kept;
    const nowMs = this.#options.now();
    const ttlS = Math.floor((readAtMs + freshForMs - nowMs) / 1000);
    const headers = [
      ...Object.entries(keptHeaders(kept, nowMs)).flat(),
      'cache-status',
      `replica; hit; ttl=${ttlS}${ttlS > 0 ? '' : '; detail="no replica holds the session"'}`,
    ];
    const isKnown = etagMatches(headerOf(request)('if-none-match'), etag);
    writeAnswer(
      response,
      facts.commonHeaders(),
      isKnown ? { status: 304, headers } : { status: 200, headers: ['content-type', contentType, ...headers], body },
    );
  }
}

async function bodyOf(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The body is written anew, with its own length. */
const withoutLength = (headers: readonly string[]): string[] =>
  headers.filter((_, i) => {
    const name = headers[i - (i % 2)];
    return name !== 'content-length' && name !== 'transfer-encoding';
  });

function answerOf(
  { headers }: IncomingMessage,
  body: Buffer,
  { of }: ReferenceRead,
  nowMs: number,
): ReferenceAnswer | undefined {
  const { etag, age = '0', 'content-type': contentType = '' } = headers;
  const maxAgeS = /max-age=(\d{1,9})/.exec(headers['cache-control'] ?? '')?.[1];
  if (etag === undefined || maxAgeS === undefined || !contentType.startsWith('application/json')) return undefined;
  const readAtMs = nowMs - Number(age) * 1000;
  return { of, body, contentType, etag, readAtMs, freshForMs: Number(maxAgeS) * 1000 };
}

/** To another replica. */
export const answerNotTheHolder = (response: ServerResponse): void =>
  writeAnswer(response, [], { status: NOT_THE_HOLDER, headers: [], body: '' });
