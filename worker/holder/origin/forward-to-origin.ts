import { BridgeError, type ErrorCode } from '../../../container/contract/errors.ts';
import type { Breaker } from '../../../container/contract/breaker.ts';
import type { OriginName } from '../../../container/contract/schemas/status.ts';
import { HEADER } from '../../../container/contract/headers.ts';
import { classifyPlatformError, describePlatformError } from '../platform-errors.ts';

/** A request as it may be sent more than once: the door has bounded and buffered its body. */
export interface ForwardRequest {
  readonly method: string;
  /** Path and query, untouched. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: ArrayBuffer | null;
  readonly deadlineAtMs: number;
  /** A read or a stream: may be sent to a second process when the first one dies under it. */
  readonly isRead: boolean;
  /** The hub’s: a WebSocket. */
  readonly isStream: boolean;
}

export interface ForwardParts {
  readonly name: OriginName;
  /** @throws BridgeError */
  readonly ensure: () => Promise<void>;
  readonly send: (request: ForwardRequest, timeoutMs: number) => Promise<Response>;
  /** Resolves at the end of the process that runs now. */
  readonly ended: () => Promise<void>;
  /** A connection failed: before the next one it is seen whether anything listens. */
  readonly suspect: () => void;
  /** No answer came within the deadline. */
  readonly unanswered: () => void;
  /** Of the road to the origin. Starts that fail are not its: they are waited out by themselves (`Lifecycle`). */
  readonly breaker: Pick<Breaker, 'take' | 'waitMs' | 'succeeded' | 'failed' | 'status'>;
  readonly now: () => number;
}

/** The program is given so much less than the caller: what it answers at its own deadline is here before ours. */
const ANSWER_MARGIN_MS = 100;
/** … and never more than this share of what is left. */
const ANSWER_MARGIN_SHARE = 0.1;
/** Between looks at a process that drains or is being replaced. */
const LOOK_AGAIN_MS = 50;
/** After a broken connection: how long the news of the process's end may take. */
const END_NEWS_MS = 500;

/**
 * Sends a request to one origin, through the death of its process if need be.
 *
 * What was refused before it was read (nothing listens, the program drains) is sent again, reads and writes alike,
 * until the deadline. What was handed over and brought no answer is sent again once if it is a read; a write never is.
 * While the road's circuit is open, nothing is sent.
 *
 * @throws BridgeError; for a write `outcome` `unknown` unless nothing was handed over
 */
export async function forwardToOrigin(request: ForwardRequest, parts: ForwardParts): Promise<Response> {
  const { breaker, now } = parts;
  const beganAtMs = now();
  if (!breaker.take(beganAtMs)) throw circuitOpen(parts);
  try {
    const answer = await forwarded(request, parts);
    breaker.succeeded(now());
    return answer;
  } catch (error) {
    if (error instanceof RoadError) breaker.failed(beganAtMs, now(), error.context.detail);
    throw error;
  }
}

/** The road failed, not the broker nor the caller. */
class RoadError extends BridgeError {}

function circuitOpen({ name, breaker, now }: ForwardParts): BridgeError {
  const detail = `The ${name} failed the last requests and is left alone for now: ${breaker.status.reason}`;
  return new BridgeError('circuit_open', { detail, retryAfterMs: breaker.waitMs(now()) });
}

async function forwarded(request: ForwardRequest, parts: ForwardParts): Promise<Response> {
  let replaysLeft = request.isRead ? 1 : 0;
  for (;;) {
    await untilDeadline(parts.ensure(), request, parts);
    let answer: Response;
    try {
      answer = await parts.send(request, remainingMs(request, parts));
    } catch (error) {
      const { kind } = classifyPlatformError(error);
      if (kind === 'not_listening') {
        await refused(request, parts);
        continue;
      }
      if (kind === 'timeout') {
        parts.unanswered();
        throw unanswered(request, 'deadline_exceeded', `The ${parts.name} did not answer in time.`);
      }
      await Promise.race([parts.ended(), pause(END_NEWS_MS)]);
      parts.suspect();
      if (replaysLeft-- > 0) continue;
      const detail = describePlatformError({ kind: 'disconnected', exitCode: null });
      throw unanswered(request, 'container_unavailable', detail, error);
    }
    if (!(await isDraining(answer))) return answer;
    await untilDeadline(Promise.race([parts.ended(), pause(LOOK_AGAIN_MS)]), request, parts);
  }
}

async function refused(request: ForwardRequest, parts: ForwardParts): Promise<void> {
  await untilDeadline(pause(LOOK_AGAIN_MS), request, parts);
  parts.suspect();
}

/** 503 `draining`: the program said so before it did anything. */
async function isDraining(answer: Response): Promise<boolean> {
  if (answer.status !== 503 || !answer.headers.get('content-type')?.startsWith('application/problem+json'))
    return false;
  const problem = (await answer.clone().json()) as { code?: ErrorCode };
  if (problem.code !== 'draining') return false;
  await answer.body?.cancel();
  return true;
}

/** The deadline that the container is told. */
export const originDeadlineMs = (deadlineAtMs: number, nowMs: number): number =>
  deadlineAtMs - Math.min(ANSWER_MARGIN_MS, Math.max(0, deadlineAtMs - nowMs) * ANSWER_MARGIN_SHARE);

const remainingMs = (request: ForwardRequest, parts: ForwardParts): number =>
  Math.max(0, request.deadlineAtMs - parts.now());

/** Waits for it, but releases the caller at the deadline; what was waited for goes on for others. */
async function untilDeadline<T>(promise: Promise<T>, request: ForwardRequest, parts: ForwardParts): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new RoadError('deadline_exceeded', {
            detail: `The ${parts.name} was not ready before the deadline; it goes on starting.`,
            retry: 'after',
          }),
        ),
      remainingMs(request, parts),
    );
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function unanswered(request: ForwardRequest, code: ErrorCode, detail: string, cause?: unknown): BridgeError {
  return request.isRead
    ? new RoadError(code, { detail, cause })
    : new RoadError('outcome_unknown', { detail, cause, outcome: 'unknown', retry: 'check' });
}

/** What the door sent, as a request that can be sent again. */
export async function readForwardRequest(request: Request): Promise<ForwardRequest> {
  const url = new URL(request.url);
  const deadline = Number(request.headers.get(HEADER.deadline));
  const headers = new Headers(request.headers);
  // A stream of the hub changes nothing.
  const isStream = headers.get('upgrade')?.toLowerCase() === 'websocket';
  const isRead = isStream || headers.get(HEADER.replay) === 'safe';
  headers.delete(HEADER.replay);
  return {
    method: request.method,
    target: url.pathname + url.search,
    headers,
    body: request.body === null ? null : await request.arrayBuffer(),
    deadlineAtMs: Number.isFinite(deadline) && deadline > 0 ? deadline : Date.now() + DEFAULT_DEADLINE_MS,
    isRead,
    isStream,
  };
}

/** For callers inside the Worker that set none (the stream hub). */
const DEFAULT_DEADLINE_MS = 30_000;
