import { LRUCache } from 'lru-cache';
import { RETCODE } from '../../webapi/retcodes.ts';
import { BridgeError } from '../../contract/errors.ts';
import { REFERENCE_CLASSES, REFERENCE_FRESH_MS } from '../../contract/reference-data.ts';
import { SessionError, type CallTimings } from '../../session/upstream.ts';
import type { Command, Reply, Upstream } from '../../session/upstream.ts';
import { isWireObject, payload, payloadObjects, payloadScalar } from '../../webapi/fields.ts';
import type { WireObject, WireValue } from '../../webapi/fields.ts';
import type { Keep } from '../handler.ts';
import { isBulk } from './bulk.ts';
import { Flight } from './flight.ts';
import { DETOURS } from './older-builds.ts';
import { PartOfReply, TrainForms } from './trains.ts';
import { exactBody } from './exact-body.ts';
import { replyError, retcodeError, toBridgeError } from './upstream-errors.ts';

/** Who asks, as far as a read needs it. */
export interface ReadContext {
  readonly deadlineAtMs: number;
  readonly signal: AbortSignal;
  readonly timings?: CallTimings | undefined;
  /** Whose turn it takes before the sessions. */
  readonly lane?: string | undefined;
  /** On the session that deals, as is all that a server remembers of a connection. */
  readonly onDealer?: boolean | undefined;
  /** One question of a long list, whatever it asks for. */
  readonly isOfList?: boolean | undefined;
  /** The oldest reference data that it takes; 0 = none that is kept; absent = as long as it is fresh. */
  readonly oldestMs?: number | undefined;
}

export type Query = readonly (readonly [name: string, value: string])[];

/** The server does not know this command, or this manager may not use it: where there is another way, it is taken. */
export const isMissing = (error: unknown): boolean =>
  error instanceof BridgeError && (error.code === 'broker_unsupported' || error.code === 'broker_forbidden');

/** As `isMissing`, but for rights that the server names: those are refused in every way. */
export const isLacking = (error: unknown): boolean =>
  isMissing(error) && ((error as BridgeError).code === 'broker_unsupported' || !(error as BridgeError).context.retcode);

/** One answer of the server with its retcode, decoded as far as text. */
export interface BrokerReply {
  readonly retcode: number;
  readonly retcodeText: string;
  readonly body: WireObject;
  /** The bytes, for the readers of long rows of numbers. */
  readonly bytes: Uint8Array;
}

/** Reference data, by how it is invalidated and counted. */
const REFERENCE_KINDS = [...REFERENCE_CLASSES, 'logins'] as const;
export type ReferenceKind = (typeof REFERENCE_KINDS)[number];

/** How long it is taken for true without asking. Configuration changes by an administrator's hand; logins by every
 * registration. */
const FRESH_MS: Readonly<Record<ReferenceKind, number>> = {
  server: REFERENCE_FRESH_MS,
  groups: REFERENCE_FRESH_MS,
  symbols: REFERENCE_FRESH_MS,
  logins: 5_000,
};

/** Timers of one deadline go off one after another. */
const ABORT_SLACK_MS = 50;

/** What an entry may weigh in all, whatever their number: a 5000-symbol list is about 10 MB. */
const MAX_CACHE_BYTES = 64 * 1024 * 1024;
/** A read lives on for later joiners this long after its first caller's deadline. */
const FLIGHT_GRACE_MS = 5_000;

export interface ReferenceValue {
  readonly reply: BrokerReply;
  readonly freshForMs: number;
  readonly keep: Keep;
}

export interface BrokerOptions {
  readonly upstream: Upstream;
  readonly now: () => number;
  /** Entries of the reference cache. */
  readonly cacheSize: number;
}

interface Counts {
  hits: number;
  misses: number;
  invalidations: number;
}

export interface BrokerStatistics {
  readonly reads: number;
  readonly coalesced: number;
  readonly entries: number;
  readonly maxEntries: number;
  readonly evictions: number;
  readonly byKind: Readonly<Record<ReferenceKind, Readonly<Counts & { hitRate: number | null }>>>;
}

/** Reads of the broker: identical ones at one time are one, reference data is kept for a while, retcodes are judged. */
export class Broker {
  readonly #upstream: BrokerOptions['upstream'];
  readonly #now: () => number;
  readonly #flights = new Map<string, Flight>();
  readonly #cache: LRUCache<string, { kind: ReferenceKind; reply: BrokerReply; storedAtMs: number }>;
  readonly #counts: Record<ReferenceKind, Counts>;
  /** Raised by invalidation: what was asked before does not enter the cache after. */
  readonly #generation: Record<ReferenceKind, number>;
  /** Commands that this build has shown not to have, as long as the sessions stand. */
  readonly #lacking = new Map<string, BridgeError>();
  /** Whether a command of this build takes `group=`, as far as it has shown; as long as the sessions stand. */
  readonly groupForms = new Map<string, 'there' | 'lacking'>();
  readonly #forms = new TrainForms({
    lacks: (path) => this.#lacking.has(path),
    onLacking: (path, error) => void this.#lacking.set(path, error),
  });
  #reads = 0;
  #coalesced = 0;
  #evictions = 0;

  constructor(options: BrokerOptions) {
    this.#upstream = options.upstream;
    this.#now = options.now;
    this.#cache = new LRUCache({
      max: Math.max(1, options.cacheSize),
      maxSize: MAX_CACHE_BYTES,
      sizeCalculation: ({ reply }) => Math.max(1, reply.bytes.length),
      dispose: (_value, _key, reason) => {
        if (reason === 'evict') this.#evictions++;
      },
    });
    const each = <T>(value: () => T): Record<ReferenceKind, T> =>
      Object.fromEntries(REFERENCE_KINDS.map((kind) => [kind, value()])) as Record<ReferenceKind, T>;
    this.#counts = each(() => ({ hits: 0, misses: 0, invalidations: 0 }));
    this.#generation = each(() => 0);
  }

  /**
   * One read. Retcode 0 and those in `accept` are answers, every other is thrown.
   * @throws BridgeError
   */
  async read(path: string, query: Query, context: ReadContext, accept: readonly number[] = []): Promise<BrokerReply> {
    return this.#ask({ path, query }, context, accept, []);
  }

  /** As `read`, but by no other way where this build lacks the command. @throws BridgeError */
  async direct(path: string, query: Query, context: ReadContext, accept: readonly number[] = []): Promise<BrokerReply> {
    const lacking = this.#lacking.get(path);
    if (lacking) throw lacking;
    return judged(await this.#shared({ path, query }, context), path, accept);
  }

  /** Whether this build has shown not to have a command. */
  lacks(path: string): boolean {
    return this.#lacking.has(path);
  }

  /** The sessions are others: it may be another build. */
  forgetBuild(): void {
    this.#lacking.clear();
    this.groupForms.clear();
  }

  /**
   * Asks, and takes another way where this build lacks the command. `trail`: the commands whose place this one takes; where
   * it lacks as well, `first` is what is told: the first that lacked.
   */
  async #ask(
    { path, query }: { readonly path: string; readonly query: Query },
    context: ReadContext,
    accept: readonly number[],
    trail: readonly string[],
    first?: BridgeError,
  ): Promise<BrokerReply> {
    // Round in a circle: both ways lack something.
    if (first && trail.includes(path)) throw first;
    const detour = DETOURS[path];
    let lacking = detour && this.#lacking.get(path);
    if (!lacking)
      try {
        return judged(await this.#shared({ path, query }, context), path, accept);
      } catch (error) {
        if (!isLacking(error)) throw error;
        lacking = error as BridgeError;
      }
    const told = first ?? lacking;
    if (!detour) throw told;
    const answer = await detour(new Map(query), (next, asked) =>
      this.#ask({ path: next, query: asked }, context, [RETCODE.ERR_NOTFOUND], [...trail, path], told),
    );
    // Only what there is another way to: anything else is asked for again, since rights may be given meanwhile.
    this.#lacking.set(path, lacking);
    return judged(replyOf(answer), path, accept);
  }

  /** A list: an empty one may also be `13 Not found` (mt5-webapi §3.6). @throws BridgeError */
  async list(path: string, query: Query, context: ReadContext): Promise<readonly WireObject[]> {
    const reply = await this.read(path, query, context, [RETCODE.ERR_NOTFOUND]);
    return reply.retcode === RETCODE.ERR_NOTFOUND ? [] : payloadObjects(reply.body);
  }

  /** One object. @throws BridgeError `object_not_found` also where the broker answers success without one */
  async object(path: string, query: Query, context: ReadContext): Promise<WireObject> {
    return onlyObject(await this.read(path, query, context), path, query);
  }

  /** One scalar by name, in any casing. @throws BridgeError `broker_malformed` where it is missing */
  async scalar(path: string, name: string, query: Query, context: ReadContext): Promise<string> {
    const value = payloadScalar((await this.read(path, query, context)).body, name);
    if (value === undefined) throw new BridgeError('broker_malformed', `${path}: the answer has no ${name}.`);
    return value;
  }

  /** Reference data, from the cache while fresh. @throws BridgeError */
  async reference(
    kind: ReferenceKind,
    path: string,
    query: Query,
    context: ReadContext,
    accept: readonly number[] = [],
  ): Promise<ReferenceValue> {
    const key = keyOf({ path, query });
    const generation = this.#generation[kind];
    const keep: Keep = {
      isCurrent: () => generation === this.#generation[kind],
      countHit: () => void this.#counts[kind].hits++,
    };
    const kept = this.#cache.get(key);
    const age = kept ? this.#now() - kept.storedAtMs : Infinity;
    if (kept && age < Math.min(FRESH_MS[kind], context.oldestMs ?? Infinity)) {
      this.#counts[kind].hits++;
      return { reply: kept.reply, freshForMs: FRESH_MS[kind] - age, keep };
    }
    this.#counts[kind].misses++;
    const reply = await this.read(path, query, context, accept);
    if (generation === this.#generation[kind]) this.#cache.set(key, { kind, reply, storedAtMs: this.#now() });
    return { reply, freshForMs: FRESH_MS[kind], keep };
  }

  /** Called by writes, and when the session is another one. */
  invalidate(...kinds: readonly ReferenceKind[]): void {
    for (const kind of kinds) {
      this.#generation[kind]++;
      this.#counts[kind].invalidations++;
      for (const [key, value] of this.#cache.entries()) if (value.kind === kind) this.#cache.delete(key);
    }
  }

  /** A write was answered: later reads do not join those under way, nor take these kinds from the cache. */
  forgetReads(...kinds: readonly ReferenceKind[]): void {
    this.#flights.clear();
    if (kinds.length > 0) this.invalidate(...kinds);
  }

  statistics(): BrokerStatistics {
    const byKind = Object.fromEntries(
      REFERENCE_KINDS.map((kind) => {
        const counts = this.#counts[kind];
        const asked = counts.hits + counts.misses;
        return [kind, { ...counts, hitRate: asked === 0 ? null : counts.hits / asked }];
      }),
    ) as BrokerStatistics['byKind'];
    return {
      reads: this.#reads,
      coalesced: this.#coalesced,
      entries: this.#cache.size,
      maxEntries: this.#cache.max,
      evictions: this.#evictions,
      byKind,
    };
  }

  /** Joins a read of the same command that is under way and will live as long as this caller waits. */
  async #shared(command: Command, context: ReadContext): Promise<BrokerReply> {
    this.#reads++;
    const key = keyOf(command, context.onDealer);
    let flight = this.#flights.get(key);
    if (flight && flight.deadlineAtMs >= context.deadlineAtMs) this.#coalesced++;
    else {
      const deadlineAtMs = context.deadlineAtMs + FLIGHT_GRACE_MS;
      const started = new Flight(deadlineAtMs, context.lane, (signal) => this.#send(command, signal, context));
      flight = started;
      this.#flights.set(key, started);
      const land = (): void => this.#forget(key, started);
      started.promise.then(land, land);
    }
    flight.waiting++;
    try {
      const reply = await this.#within(flight.promise, context);
      context.timings?.add(flight.timings);
      return reply;
    } catch (error) {
      if (flight.waiting === 1) {
        // Still queued, it would be sent though no caller waits, ahead of those that do.
        this.#forget(key, flight);
        flight.abort();
      }
      throw error;
    } finally {
      flight.waiting--;
    }
  }

  #forget(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }

  async #send(command: Command, flight: Flight, { isOfList, onDealer }: ReadContext): Promise<BrokerReply> {
    const { path, query = [] } = command;
    const { deadlineAtMs, timings, lane } = flight;
    const options = { deadlineAtMs, signal: flight, timings, lane };
    let reply: Reply;
    try {
      reply = onDealer
        ? await this.#upstream.dealers[0].read(command, undefined, options)
        : await this.#upstream.read(command, {
            ...options,
            many: this.#forms.of(path, query),
            bulk: isOfList ?? isBulk(path, query),
          });
    } catch (error) {
      throw toBridgeError(error);
    }
    if (reply.retcode === undefined)
      throw replyError(reply, { path: command.path }) ?? new BridgeError('broker_malformed', 'No retcode.');
    return {
      retcode: reply.retcode,
      retcodeText: reply.retcodeText,
      body: reply instanceof PartOfReply ? reply.body : exactBody(reply, command.path),
      bytes: reply.bytes,
    };
  }

  /** The shared answer, or this caller's own deadline or departure, whichever comes first. */
  async #within(promise: Promise<BrokerReply>, { deadlineAtMs, signal }: ReadContext): Promise<BrokerReply> {
    const given = Promise.withResolvers<never>();
    const giveUp = (kind: 'deadline' | 'cancelled', message: string): void =>
      given.reject(toBridgeError(new SessionError(kind, message)));
    const late = (): void => giveUp('deadline', 'The broker did not answer before the deadline of the request.');
    // A write gives up what it reads when its own time is over: nobody went away then.
    const onAbort = (): void =>
      this.#now() >= deadlineAtMs - ABORT_SLACK_MS ? late() : giveUp('cancelled', 'The caller went away.');
    const timer = setTimeout(late, Math.max(0, deadlineAtMs - this.#now()));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([given.promise, promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }
}

/** What a detour found, as if the server had said it. */
function replyOf(answer: WireValue | undefined): BrokerReply {
  if (answer === undefined)
    return { retcode: RETCODE.ERR_NOTFOUND, retcodeText: 'Not found', body: {}, bytes: new Uint8Array() };
  const body = { retcode: '0 Done', answer };
  return { retcode: RETCODE.OK, retcodeText: 'Done', body, bytes: Buffer.from(JSON.stringify(body)) };
}

/** Success and what is accepted beside it. @throws BridgeError for every other retcode */
function judged(reply: BrokerReply, path: string, accept: readonly number[]): BrokerReply {
  const { retcode, retcodeText } = reply;
  if (retcode === RETCODE.OK || accept.includes(retcode)) return reply;
  const detail = `The broker answered ${path} with ${retcode} ${retcodeText}.`;
  throw retcodeError(retcode, retcodeText) ?? new BridgeError('broker_error', { detail, retcode });
}

const keyOf = ({ path, query = [] }: Command, onDealer = false): string => JSON.stringify([path, query, onDealer]);

/** The one object of an answer. @throws BridgeError `object_not_found` */
export function onlyObject(reply: BrokerReply, path: string, query: Query): WireObject {
  const value = payload(reply.body);
  const object = Array.isArray(value) ? value[0] : value;
  if (isWireObject(object) && Object.keys(object).length > 0) return object;
  const asked = query.map(([name, text]) => `${name} ${text}`).join(', ');
  throw new BridgeError('object_not_found', `${path}: the broker has none for ${asked.slice(0, 200)}.`);
}
