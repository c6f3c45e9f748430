import { z } from 'zod';
import { breakerStatusSchema } from './breaker.ts';
import { LIVE_SESSION_STATES } from './schemas/status.ts';
import { tradingCalendarSchema } from './trading-calendar.ts';

/**
 * The control channel: one WebSocket that the Durable Object opens to the container's port directly (so that it is not
 * counted as activity), with the per-start secret. JSON text frames, one message each.
 *
 *   container → Durable Object   hello · call · activity · calendar · pong
 *   Durable Object → container   handover · result · failure · ping · warm · drain · ended
 *
 * The container may call the state (`state/state-api.ts`) only after `handover`. When the channel closes, calls in
 * flight fail; the Durable Object opens it again while the process lives, and the container says hello again with the
 * same instance id, so that a Durable Object that was reset learns what runs.
 *
 * Both ends parse what comes; a message that cannot be parsed is logged and skipped. Fields that are not known are ignored, so that a
 * Worker and a container of different versions can tell each other so.
 */

const sessionStatusSchema = z.object({
  state: z.enum(LIVE_SESSION_STATES),
  epoch: z.int().nullable(),
  /** When the state was entered, epoch ms. */
  sinceMs: z.number(),
  /** Plain words where the state is not good. */
  reason: z.string().nullable(),
  retcode: z.int().nullable(),
  connections: z.int(),
});
export type SessionStatus = Readonly<z.infer<typeof sessionStatusSchema>>;

const helloSchema = z.object({
  type: z.literal('hello'),
  contractVersion: z.int(),
  bridgeVersion: z.string(),
  instanceId: z.string(),
  /** Epoch that this instance has signed in under; null before its first sign-in. */
  epoch: z.int().nullable(),
  /** Milliseconds from process start to listening. */
  listeningAfterMs: z.number(),
  /** Whose sessions it would hold: id of the broker, manager account. */
  broker: z.string().optional(),
  login: z.string().optional(),
});
export type Hello = Readonly<z.infer<typeof helloSchema>>;

const handoverSchema = z.object({
  type: z.literal('handover'),
  contractVersion: z.int(),
  bridgeVersion: z.string(),
  /** `false`: another instance holds the epoch; this one drains. */
  accepted: z.boolean(),
  /** JSON of `UpstreamCheckpoint`. */
  checkpoint: z.string(),
});
export type Handover = Readonly<z.infer<typeof handoverSchema>>;

/** A call of `StateApi`: `method` is `signIn.permit`, `operations.begin`, …; arguments are JSON. */
const callSchema = z.object({
  type: z.literal('call'),
  id: z.int(),
  method: z.string(),
  args: z.array(z.unknown()).readonly(),
});
export type StateCall = Readonly<z.infer<typeof callSchema>>;

const resultSchema = z.object({ type: z.literal('result'), id: z.int(), value: z.unknown() });
export type StateResult = Readonly<z.infer<typeof resultSchema>>;

const failureSchema = z.object({ type: z.literal('failure'), id: z.int(), code: z.string(), detail: z.string() });
export type StateFailure = Readonly<z.infer<typeof failureSchema>>;

/** Sent on change: what keeps the container awake besides requests, and how the session stands. */
const activitySchema = z.object({
  type: z.literal('activity'),
  streams: z.int(),
  unsettled: z.int(),
  session: sessionStatusSchema,
  /** The circuit breaker of the broker. */
  breaker: breakerStatusSchema.optional(),
});
export type Activity = Readonly<z.infer<typeof activitySchema>>;

const controlMessageSchema = z.discriminatedUnion('type', [
  helloSchema,
  handoverSchema,
  callSchema,
  resultSchema,
  failureSchema,
  activitySchema,
  /** When the broker trades the symbols in use; sent when it is read, and whenever it has changed. */
  z.object({ type: z.literal('calendar'), calendar: tradingCalendarSchema }),
  /** Asked every second and answered at once: a process that runs is told from one that hangs. */
  z.object({ type: z.literal('ping') }),
  z.object({ type: z.literal('pong') }),
  /** Leave a session ready: sign in now unless signed in, signing in or backing off. An `activity` tells the end. */
  z.object({ type: z.literal('warm') }),
  z.object({ type: z.literal('drain'), reason: z.string() }),
  /** Keys and traders' sessions that ended: their streams close with 4001. */
  z.object({ type: z.literal('ended'), ended: z.array(z.string()).readonly() }),
]);
export type ControlMessage = Readonly<z.infer<typeof controlMessageSchema>>;

/** @returns `undefined` for what is no control message */
export function parseControlMessage(text: string): ControlMessage | undefined {
  try {
    return controlMessageSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
