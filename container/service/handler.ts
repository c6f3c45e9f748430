/**
 * service/ is what the bridge can do, in the broker's nouns: it turns validated input into Web API commands, and replies
 * into the contract's types. It knows sessions as `Upstream`, durable state as `StateApi`, and nothing of sockets or HTTP.
 */
import type { CallTimings } from '../session/upstream.ts';
import type { AnswerOf, AnyRoute, RouteInput } from '../contract/route.ts';
import type { Actor } from '../contract/events.ts';
import type { Caller } from '../contract/keys.ts';

export { CallTimings } from '../session/upstream.ts';

/** What a handler knows of a request beside its input. */
export interface RouteContext {
  readonly caller: Caller;
  readonly requestId: string;
  /** Network address of the client. */
  readonly address: () => string | undefined;
  /** Epoch ms. */
  readonly deadlineAtMs: number;
  /** Aborts when the caller goes away. */
  readonly signal: AbortSignal;
  /** Whose turn its calls take before the sessions: the key's. */
  readonly lane: string;
  /** Where the time of its calls went. */
  readonly timings: CallTimings;
  readonly idempotencyKey: string | undefined;
  /** The oldest reference data that the caller takes; absent = as long as it is fresh. */
  readonly oldestMs?: number | undefined;
  /** The caller needs no more than what the write itself tells. */
  readonly prefersMinimal: boolean;
  /** The caller takes every row as a line of its own, in place of a page. */
  readonly takesWhole: boolean;
  /** The body as it came, for fingerprints; '' where there was none. */
  readonly bodyText: string;
}

/** Who asked, for the events that tell of it. */
export function actorOf({ caller, requestId, address }: RouteContext): Actor {
  return { caller: caller.id, requestId, address: address() };
}

/** Says of reference data whether it may be given again, to the same caller, without being made again. */
export interface Keep {
  /** False once something wrote to what it was made of. */
  readonly isCurrent: () => boolean;
  readonly countHit: () => void;
}

export interface RouteAnswer<Body = unknown> {
  readonly body: Body;
  /** In place of the body's items: all of them, as they come. */
  readonly rows?: AsyncIterable<readonly object[]>;
  /** Where it differs from the route's plain success (202 for an unknown outcome). */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the answer stays true; 0 or absent = it may have changed already. */
  readonly freshForMs?: number;
  /** Present where the very same answer is right for as long as it is fresh. */
  readonly keep?: Keep;
}

/** What serves a route. Its answer is held against the route's schema by the compiler. */
export type RouteHandler<R extends AnyRoute> = (
  input: RouteInput<R>,
  context: RouteContext,
) => Promise<RouteAnswer<AnswerOf<R>>>;

/** A handler for each of the routes, by operationId. */
export type HandlersOf<R extends AnyRoute> = { readonly [Id in R['id']]: RouteHandler<AnyRoute> };

/** Ties a handler to its route's types. */
export const handle = <R extends AnyRoute>(route: R, handler: RouteHandler<R>): HandlersOf<R> =>
  ({ [route.id]: handler }) as HandlersOf<R>;
