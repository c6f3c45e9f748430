import { waitUntil } from 'cloudflare:workers';
import { HEADER } from '../../container/contract/headers.ts';
import type { Caller } from '../../container/contract/keys.ts';
import { BRIDGE_VERSION } from '../../container/contract/version.ts';
import { authenticate } from './auth.ts';
import type { BridgeContainer } from '../holder/bridge-container.ts';
import type { Broker, DoorConfig } from '../config.ts';
import { BridgeError, type ErrorCode } from '../../container/contract/errors.ts';
import type { ConsumerSession } from '../../container/state/state-api.ts';
import { AddressLimit } from './address-limit.ts';
import { DoorKeys } from '../door-keys.ts';
import { doorMetrics } from './door-metrics.ts';
import { isLogged, type LogLevel } from '../../container/contract/logger.ts';
import { logEvent } from '../log.ts';
import { corsHeaders } from './cors.ts';
import { rateLimited, RateLimiter, rateLimitHeaders } from '../../container/contract/rate-limit.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { bridgeOf, hubOf, keeperOf, outboxOf } from '../stubs.ts';
import type { StreamHub } from '../hub/stream-hub.ts';
import { noteRefused } from './refused-keys.ts';
import { traceparentFor } from './trace.ts';

/** One per isolate. */
const limiter = new RateLimiter();
const keys = new DoorKeys();
const addresses = new AddressLimit();
/** Hashes of tokens that stood for a session, the last seen last. */
const goodTokens = new Set<string>();
const MOST_GOOD_TOKENS = 10_000;

export interface DoorParts {
  readonly env: Env;
  readonly config: DoorConfig;
  readonly url: URL;
  readonly requestId: string;
  readonly broker: Broker;
  readonly prefix: string;
}

/** An answer whose headers are not written yet. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer> | null;
}

/** Where a load balancer asks whether a request would be served. */
export const READINESS = '/readyz';

/** One request at the door: what was made for it, and what the answer must carry. */
export class Door {
  readonly config: DoorConfig;
  readonly url: URL;
  readonly requestId: string;
  readonly startedAtMs = Date.now();
  readonly deadlineAtMs: number;
  /** The pattern that the request matched. */
  route = 'unmatched';
  /** The Durable Object was asked to answer, and so long it took with the way there and back. */
  forwardedMs: number | undefined;
  /** The broker that is asked, and `/brokers/{id}` where its path named it. */
  readonly broker: Broker;
  readonly prefix: string;
  /** Of the client, as Cloudflare saw it. */
  readonly address: string | undefined;
  readonly #env: Env;
  readonly #givenTraceparent: string | null;
  #traceparent: string | undefined;
  readonly #origin: string | null;
  #caller: Caller | undefined;
  readonly #addressBinding: RateLimit | undefined;
  readonly #answerHeaders: Record<string, string> = {};
  readonly #method: string;

  constructor(request: Request, { env, config, url, requestId, prefix, broker }: DoorParts) {
    this.config = config;
    this.#method = request.method;
    this.broker = broker;
    this.prefix = prefix;
    this.url = url;
    this.requestId = requestId;
    this.#givenTraceparent = request.headers.get(HEADER.traceparent);
    this.deadlineAtMs = this.startedAtMs + config.requestDeadlineMs;
    this.#addressBinding = env.ADDRESS_LIMIT;
    this.#env = env;
    this.address = request.headers.get(HEADER.clientAddress) ?? undefined;
    this.#origin = request.headers.get('origin');
  }

  // Most requests need one of these at most, those that are answered from memory none: a stub takes time to make.
  get bridge(): DurableObjectStub<BridgeContainer> {
    return this.bridgeOf(this.broker);
  }

  /** Keeps the API keys of all brokers. */
  get keeper(): DurableObjectStub<BridgeContainer> {
    return keeperOf(this.#env, this.config);
  }

  get hub(): DurableObjectStub<StreamHub> {
    return hubOf(this.#env, this.config, this.broker);
  }

  get outbox(): DurableObjectStub<Outbox> {
    return outboxOf(this.#env, this.broker);
  }

  /** That of any broker. */
  bridgeOf(broker: Broker): DurableObjectStub<BridgeContainer> {
    return bridgeOf(this.#env, this.config, broker);
  }

  /** Of the request to whoever answers it. */
  get traceparent(): string {
    return (this.#traceparent ??= traceparentFor(this.#givenTraceparent));
  }

  /** Key or token → caller, counted once against its limit. @throws BridgeError `unauthenticated` · `rate_limited` */
  async admit(headers: Headers): Promise<Caller> {
    if (this.#caller) return this.#caller;
    let caller: Caller;
    try {
      caller = await authenticate(
        headers,
        () => keys.ring((used) => this.keeper.apiKeys(used), Date.now()),
        { address: this.address, broker: this.broker.id },
        (tokenHash) => this.#findSession(tokenHash),
      );
    } catch (error) {
      if (error instanceof BridgeError && error.code === 'unauthenticated') {
        noteRefused(this.#env, this.broker);
        await this.chargeAddress();
      }
      throw error;
    }
    keys.used(caller.openedBy ?? caller.id);
    this.#caller = caller;
    this.charge(1);
    return caller;
  }

  /** Counts something that came without a valid key. @throws BridgeError `rate_limited` */
  chargeAddress(): Promise<void> {
    return addresses.take(this.address, this.#addressBinding, Date.now());
  }

  /**
   * A token costs a look into the Durable Object. From an address whose keys were wrong too often, only those that were
   * right before are looked up: others that come from there are not locked out with it.
   */
  async #findSession(tokenHash: string): Promise<ConsumerSession | null> {
    if (!goodTokens.has(tokenHash) && addresses.isExhausted(this.address, Date.now())) return null;
    const found = await this.bridge.findSession(tokenHash);
    goodTokens.delete(tokenHash);
    if (found) goodTokens.add(tokenHash);
    if (goodTokens.size > MOST_GOOD_TOKENS) goodTokens.delete(goodTokens.values().next().value ?? '');
    return found;
  }

  /** Counts requests against the limit of the caller. @throws BridgeError `rate_limited` */
  charge(count: number): void {
    const { rate } = this.config;
    const allowance = limiter.take(`${this.broker.id}/${this.#caller?.id ?? ''}`, rate, Date.now(), count);
    Object.assign(this.#answerHeaders, rateLimitHeaders(rate, allowance));
    if (!allowance.allowed) throw rateLimited(allowance);
  }

  /** Every answer leaves with the same headers, whoever made it, and is counted. @param code of the door's own problem */
  finish(answer: Response, code?: ErrorCode): Response {
    const { headers, status } = answer;
    for (const [name, value] of Object.entries(this.#ownHeaders(headers.get('vary')))) headers.set(name, value);
    if (this.prefix !== '') {
      const location = headers.get('location');
      if (location?.startsWith('/')) headers.set('location', this.prefix + location);
    }
    const phases = this.#note(status, headers.get(HEADER.serverTiming), code);
    headers.append(HEADER.serverTiming, phases);
    return answer;
  }

  /**
   * As `finish`, for what the isolate's memory answered. All headers are given at once: each that is set by itself is a call
   * into the runtime. Its line is for `LOG_LEVEL=debug`: each is billed at twice the price of the request (prices.ts).
   */
  send({ status, headers, body }: PlainAnswer): Response {
    const timing = { [HEADER.serverTiming]: this.#note(status, null, undefined, 'debug') };
    return new Response(body, {
      status,
      headers: { ...headers, ...this.#ownHeaders(headers['vary'] ?? null), ...timing },
    });
  }

  /** @param vary what the answer depends on already */
  #ownHeaders(vary: string | null): Record<string, string> {
    const own: Record<string, string> = {
      [HEADER.requestId]: this.requestId,
      [HEADER.bridgeVersion]: BRIDGE_VERSION,
      ...transportHeaders(this.url),
      ...this.#answerHeaders,
      ...corsHeaders(this.#origin, this.config.corsOrigins),
    };
    if (vary !== null && own['vary'] !== undefined) own['vary'] = `${vary}, ${own['vary']}`;
    return own;
  }

  /** One line in the log, one count, and where the time went: what `Server-Timing` tells of it. */
  #note(status: number, timing: string | null, code: ErrorCode | undefined, level: LogLevel = 'info'): string {
    const nowMs = Date.now();
    const durationMs = nowMs - this.startedAtMs;
    const phasesMs = { ...this.#placeMs(timing), door: durationMs };
    const { requestId, route, broker } = this;
    const caller = this.#caller?.id;
    const common = { route, method: this.#method, status, durationMs, caller, code };
    // A probe that is answered as hoped says nothing: it comes every few seconds, and each line may be billed.
    const isQuiet = route === READINESS && status < 400;
    if (!isQuiet && isLogged(this.config.logLevel, level)) {
      const { traceparent } = this;
      logEvent('request', { requestId, traceparent, ...common, phasesMs, broker: broker.id }, level);
    }
    const by = this.forwardedMs === undefined ? 'door' : 'holder';
    const deltas = doorMetrics.answered({ ...common, broker: broker.id, by }, nowMs);
    if (deltas) waitUntil(Promise.resolve(this.bridge.figuresTold('door', deltas)).catch(() => undefined));
    return Object.entries(phasesMs)
      .map(([phase, ms]) => `${phase};dur=${ms}`)
      .join(', ');
  }

  /** On the way to the Durable Object and back. */
  #placeMs(timing: string | null): { readonly place?: number } {
    if (this.forwardedMs === undefined) return {};
    const inHolder = /holder;dur=([\d.]+)/.exec(timing ?? '')?.[1];
    const placeMs = this.forwardedMs - Number(inHolder ?? Number.NaN);
    return placeMs >= 0 ? { place: placeMs } : {};
  }
}

/** A browser that came by https comes so for a year (RFC 6797 wants it said there only). */
export const transportHeaders = ({ protocol }: URL): Record<string, string> => ({
  [HEADER.contentTypeOptions]: 'nosniff',
  ...(protocol === 'https:' ? { [HEADER.strictTransportSecurity]: 'max-age=31536000' } : {}),
});
