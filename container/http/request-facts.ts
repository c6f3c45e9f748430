import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HEADER } from '../contract/headers.ts';
import type { Caller } from '../contract/keys.ts';
import type { Logger } from '../contract/logger.ts';
import { requestIdOf, traceparentOf } from '../contract/trace.ts';
import { BRIDGE_VERSION } from '../contract/version.ts';
import type { CallerLimit } from './caller-limit.ts';
import { oneOf } from './read-request.ts';
import { CallTimings } from '../service/handler.ts';

/** How long a caller waits where nobody said: as long as most clients and proxies do. */
export const DEFAULT_DEADLINE_MS = 30_000;
/** The longest deadline that a caller can ask for. */
const MAX_DEADLINE_MS = 180_000;

/** What is known of a request before its route is looked at. */
export interface RequestFacts {
  /** `null` = no key was sent: only routes without a scope answer. */
  readonly caller: Caller | null;
  readonly requestId: string;
  readonly deadlineAtMs: number;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
  readonly timings: CallTimings;
  /** Network address of the client. */
  readonly address: () => string | undefined;
}

export interface FactsOptions {
  /** Requests per key; absent behind the Worker, whose door counts them. */
  readonly limit?: CallerLimit | undefined;
  readonly log: Logger;
  readonly now: () => number;
  readonly epoch: () => number | null;
  /** Called for every answer, for the metrics. */
  readonly onAnswer?: (answer: AnswerNote) => void;
}

/** What is noted of an answer, for the metrics and the log. */
export interface AnswerNote {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly durationMs: number;
  readonly code?: string;
  readonly caller?: string;
  readonly phasesMs?: Readonly<Record<string, number>>;
}

/** The headers that every answer has: names and values in turn. */
export function commonHeaders(of: {
  readonly requestId: string;
  readonly traceparent: string | undefined;
  readonly epoch: number | null;
  readonly serverTiming: string;
}): string[] {
  const headers = [
    HEADER.requestId,
    of.requestId,
    HEADER.bridgeVersion,
    BRIDGE_VERSION,
    HEADER.contentTypeOptions,
    'nosniff',
  ];
  if (of.traceparent !== undefined) headers.push(HEADER.traceparent, of.traceparent);
  if (of.epoch !== null) headers.push(HEADER.sessionEpoch, String(of.epoch));
  headers.push(HEADER.serverTiming, of.serverTiming);
  return headers;
}

/** What is noted of one request, from its arrival to its line in the log. */
export class OpenFacts implements RequestFacts {
  caller: Caller | null = null;
  address: () => string | undefined = () => undefined;
  deadlineAtMs: number;
  /** The pattern that the request matched, for the log. */
  route = 'unmatched';
  /** Of the problem that it became. */
  code: string | undefined;
  /** Time in the route's handler, all calls of the broker in it included. */
  handlerMs: number | undefined;
  readonly timings = new CallTimings();
  readonly requestId: string;
  readonly #options: FactsOptions;
  readonly #abort = new AbortController();
  readonly #startedAt = performance.now();
  readonly #traceparent: string | undefined;
  #limitHeaders: readonly string[] = [];

  constructor(request: IncomingMessage, response: ServerResponse, options: FactsOptions) {
    this.#options = options;
    this.requestId = requestIdOf(oneOf(request.headers[HEADER.requestId])) ?? randomUUID();
    this.#traceparent = traceparentOf(oneOf(request.headers[HEADER.traceparent]));
    this.deadlineAtMs = options.now() + DEFAULT_DEADLINE_MS;
    response.once('close', () => this.#closed(request, response));
  }

  /** Counts requests against the caller's limit. @throws BridgeError `rate_limited` */
  charge(count: number): void {
    const { limit } = this.#options;
    if (!limit || !this.caller) return;
    const { headers, refusal } = limit.take(this.caller.id, count);
    this.#limitHeaders = headers;
    if (refusal) throw refusal;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The deadline that the Worker sends along, epoch ms. */
  noteDeadline(header: string | undefined): void {
    if (header === undefined || !/^\d{1,16}$/.test(header)) return;
    this.deadlineAtMs = Math.min(Number(header), this.#options.now() + MAX_DEADLINE_MS);
  }

  /** The headers that every answer has, at the moment it is written. */
  commonHeaders(): string[] {
    const { requestId } = this;
    const phases = Object.entries(this.#phasesMs() ?? {}).map(([phase, ms]) => `, ${phase};dur=${ms}`);
    const common = commonHeaders({
      requestId,
      traceparent: this.#traceparent,
      epoch: this.#options.epoch(),
      serverTiming: `bridge;dur=${(performance.now() - this.#startedAt).toFixed(1)}${phases.join('')}`,
    });
    common.push(...this.#limitHeaders);
    return common;
  }

  /** Where the time went, where the broker was asked: one after another they are the handler's time, side by side more. */
  #phasesMs(): Record<string, number> | undefined {
    const { waitedMs, answeredMs, calls } = this.timings;
    if (calls === 0) return undefined;
    const decodeMs = this.handlerMs === undefined ? undefined : Math.max(0, this.handlerMs - waitedMs - answeredMs);
    return {
      queue: tenths(waitedMs),
      broker: tenths(answeredMs),
      ...(decodeMs === undefined ? {} : { decode: tenths(decodeMs) }),
    };
  }

  #closed(request: IncomingMessage, response: ServerResponse): void {
    const { log, onAnswer } = this.#options;
    if (!response.writableFinished) this.#abort.abort();
    const phasesMs = this.#phasesMs();
    const answer = {
      route: this.route,
      method: request.method ?? '',
      status: response.writableFinished ? response.statusCode : 499,
      durationMs: tenths(performance.now() - this.#startedAt),
      requestId: this.requestId,
      ...(this.code === undefined ? {} : { code: this.code }),
      ...(phasesMs ? { phasesMs } : {}),
      ...(this.#traceparent === undefined ? {} : { traceparent: this.#traceparent }),
      ...(this.caller ? { caller: this.caller.id } : {}),
    };
    // A probe that is answered as hoped says nothing: it comes every few seconds, and each line may be billed.
    if (PROBES.has(this.route) && answer.status < 400) log.debug('request', answer);
    else log.info('request', answer);
    onAnswer?.(answer);
  }
}

const PROBES: ReadonlySet<string> = new Set(['/healthz', '/health', '/readyz']);

const tenths = (ms: number): number => Math.round(ms * 10) / 10;

const known = new WeakMap<IncomingMessage, OpenFacts>();

/** For handlers of the framework, which are given the request alone. */
export const rememberFacts = (request: IncomingMessage, facts: OpenFacts): void => void known.set(request, facts);

export function factsOf(request: IncomingMessage): OpenFacts {
  const facts = known.get(request);
  if (!facts) throw new Error('rememberFacts has not run');
  return facts;
}
