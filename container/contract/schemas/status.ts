import { z } from 'zod';
import { BREAKER_STATES, type BreakerStatus } from '../breaker.ts';
import { instantMsOut, instantOut } from './values.ts';

/** States of the road to the broker, as `GET /v1/status` names them. */

/** Of the session that a running process holds. */
export const LIVE_SESSION_STATES = [
  'idle',
  'connecting',
  'challenged',
  'ready',
  'backoff',
  'refused',
  'unreachable',
  'draining',
  'closed',
] as const;
export type SessionStateName = (typeof LIVE_SESSION_STATES)[number];

/** `asleep`: no process holds one, and the next request starts one. */
export const SESSION_STATES = [...LIVE_SESSION_STATES, 'asleep'] as const;

/** Which side answers: the container, the VPS of `ORIGIN=vps` or one without a Worker, or the fallback of either. */
export const ORIGINS = ['container', 'vps', 'fallback'] as const;
export type OriginName = (typeof ORIGINS)[number];

export const CONTAINER_STATES = ['stopped', 'starting', 'running', 'stopping'] as const;

/** How the bridge stands, in one word: `look` = it works, and something waits for a person. */
export const VERDICT_LEVELS = ['good', 'look', 'bad'] as const;
export type VerdictLevel = (typeof VERDICT_LEVELS)[number];

export const circuitOut = z
  .object({
    state: z.enum(BREAKER_STATES),
    since: z.string().nullable(),
    failures: z.int().meta({ description: 'In a row.' }),
    reason: z.string().nullable().meta({ description: 'What failed last.' }),
    retryAtMs: z.int().nullable().meta({ description: 'From when on one more call is let through; `null` = closed.' }),
  })
  .nullable();

export const circuitsOut = z
  .object({
    broker: circuitOut.meta({ description: '`null`: no process tells.' }),
    road: circuitOut.meta({ description: 'From the Durable Object to its origin; `null` on a VPS.' }),
  })
  .meta({ description: 'Circuit breakers: open, every call is answered `503 circuit_open` at once.' });

export const originOut = z
  .object({
    name: z.enum(ORIGINS).meta({ description: 'Each answer says it in `X-Bridge-Origin`.' }),
    since: z.string().nullable().meta({ description: '`null`: it never was another.' }),
    sinceMs: z.int().nullable(),
    ageMs: z.number().nullable().meta({ description: 'How long it has been so.' }),
    reason: z.string().nullable().meta({ description: 'Why the fallback answers.' }),
  })
  .meta({ description: 'Which side holds the session and answers.' });

/** The same from what is remembered of it. */
export const originStatus = (
  { name, sinceMs, reason }: Pick<z.output<typeof originOut>, 'name' | 'sinceMs' | 'reason'>,
  nowMs: number,
): z.output<typeof originOut> => ({
  name,
  since: sinceMs === null ? null : new Date(sinceMs).toISOString(),
  sinceMs,
  ageMs: sinceMs === null ? null : Math.max(0, nowMs - sinceMs),
  reason,
});

/** A circuit breaker in the words of `GET /v1/status`. */
export const circuitStatus = ({ state, sinceMs, failures, reason, retryAtMs }: BreakerStatus) => ({
  state,
  since: sinceMs === 0 ? null : new Date(sinceMs).toISOString(),
  failures,
  reason,
  retryAtMs,
});

/** A request now would be answered 503. */
export const isHeldBack = (status: BreakerStatus | undefined, nowMs: number): boolean =>
  status !== undefined && status.state !== 'closed' && (status.retryAtMs ?? 0) > nowMs;

/** Why the bridge is not ready, as anybody may be told: what broke at a circuit may name addresses as well. */
export function publicReason({
  reason,
  session,
  circuits,
}: {
  readonly reason: string | null;
  readonly session: { readonly state: string; readonly reason: string | null };
  readonly circuits: z.input<typeof circuitsOut>;
}): string | null {
  if (reason === null) return null;
  if ([circuits.broker?.reason, circuits.road?.reason].includes(reason))
    return 'Calls are held back after failures; GET /v1/status says more to who has a key.';
  return reason === session.reason ? publicSession(session).reason : reason;
}

/** What anybody may be told of the session: why it cannot be reached names the broker's addresses. */
export const publicSession = <S extends { readonly state: string; readonly reason: string | null }>(session: S): S =>
  session.state === 'unreachable'
    ? { ...session, reason: 'The broker cannot be reached; GET /v1/status says more to who has a key.' }
    : session;

/** What an operator should look at while everything goes on. */
export const WARNING_CODES = ['wake_up_missed', 'cron_missed', 'budget_projected', 'budget_passed'] as const;

export const momentOut = z.object({ at: instantOut, atMs: instantMsOut, ageMs: z.number() });
const momentOrNull = momentOut.nullable();

/** What only the container program knows, as it told last. */
export const toldStatus = {
  told: momentOrNull.meta({ description: 'When the program told what is below; `null` = no program has yet.' }),
  lastAnswer: momentOrNull.meta({ description: 'Of the broker, to anything.' }),
  lastHeartbeat: momentOrNull.meta({ description: 'When the broker last said that the session stands.' }),
  signIns: z
    .object({ succeeded: z.int(), failed: z.int() })
    .meta({ description: 'Counted since the bridge was first started.' }),
  clock: z
    .object({ offsetMs: z.number(), measured: momentOut })
    .nullable()
    .meta({ description: 'The broker’s clock minus UTC, as measured.' }),
  pool: z
    .object({
      connections: z.int(),
      most: z.int().meta({ description: '`POOL_MAX`.' }),
      busy: z.int(),
      waiting: z.int().meta({ description: 'Requests that wait for a session.' }),
    })
    .nullable(),
  followed: z
    .object({ symbols: z.int(), stale: z.int() })
    .nullable()
    .meta({ description: 'Symbols that streams follow, and how many have no fresh quote inside their hours.' }),
  symbols: z
    .array(z.object({ symbol: z.string(), lastTick: momentOut, stale: z.boolean() }))
    .meta({ description: 'The first hundred of them, each with the age of its quote.' }),
  feed: z.record(z.string(), z.int()).nullable().meta({ description: 'Counters of the streams’ source.' }),
};

/** When the container sleeps and wakes by itself; the reasons are in `GET /admin/policy`. */
export const sleepPlan = z.object({
  awake: z.boolean(),
  why: z.string(),
  sleepsAt: instantOut.nullable().meta({ description: 'Earliest, if nothing else happens; `null` = no end is known.' }),
  sleepsAtMs: instantMsOut.nullable(),
  wakesAt: instantOut.nullable().meta({ description: 'Without a request; `null` = a request starts it.' }),
  wakesAtMs: instantMsOut.nullable(),
});
