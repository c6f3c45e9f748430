import { z } from 'zod';
import { figuresReportSchema } from '../contract/figures.ts';
import { JOURNAL_EVENTS } from '../contract/journal.ts';
import { SCOPES } from '../contract/keys.ts';
import { checkpointClock } from './sign-in-state.ts';
import { OPERATION_STATES, type StateApi } from './state-api.ts';

/** What may be called over a channel, and with what: everything else is refused before it touches the state. */
type Group = 'signIn' | 'sessions' | 'operations' | 'journal' | 'symbols' | 'figures' | 'margin';
type MethodName = { [G in Group]: `${G}.${Extract<keyof StateApi[G], string>}` }[Group];

const short = z.string().max(256);
/** Key of an API key or operation; a bulk write adds `/` and a ticket to its own. */
const operationKeyPart = z.string().max(300);
const text = z.string().max(4_000_000);
const count = z.int().nonnegative();
const login = z.int().positive();
const limit = z.int().min(1).max(1000);
const operationState = z.enum(OPERATION_STATES);
const retcode = z.int().nullable();
/** 1/100 000 000. */
const units = z.string().regex(/^\d{1,40}$/);
const signedUnits = z.string().regex(/^-?\d{1,40}$/);
const phasesMs = z.record(short, z.number());
const haltScope = z.object({ kind: z.enum(['all', 'group', 'symbol', 'login']), value: z.string().max(1024) });
/** `undefined` does not travel as JSON: a missing last argument is as good as none. */
const none = z.tuple([]);
const actor = z.object({ caller: operationKeyPart, requestId: short.optional(), address: short.optional() }).optional();

export const STATE_METHODS: Readonly<Record<MethodName, z.ZodType<unknown[]>>> = {
  'signIn.read': none,
  'signIn.permit': z.tuple([short]),
  'signIn.succeeded': z.tuple([
    short,
    z.object({
      permitId: short,
      address: short,
      serverBuild: short.nullable(),
      phasesMs: phasesMs.optional(),
    }),
  ]),
  'signIn.failed': z.tuple([
    short,
    z.object({
      permitId: short,
      kind: z.enum(['refused', 'unreachable', 'impostor']),
      retcode,
      reason: z.string().max(2000),
    }),
  ]),
  'signIn.clock': z.tuple([short, checkpointClock.nullable()]),
  'signIn.released': z.tuple([short]),
  'signIn.reset': z.tuple([actor]),

  'sessions.attempt': z.tuple([login, short]),
  'sessions.attemptForgiven': z.tuple([login, short, z.boolean()]),
  'sessions.open': z.tuple([
    z.object({
      tokenHash: z.string().regex(/^sha256:[0-9a-f]{64}$/),
      login,
      scopes: z.array(z.enum(SCOPES)),
      openedBy: short,
      passwordChangedAt: short,
      by: actor,
    }),
  ]),
  'sessions.find': z.tuple([short]),
  'sessions.dueForCheck': z.tuple([z.number()]),
  'sessions.checked': z.tuple([short]),
  'sessions.revoke': z.tuple([short, z.string().max(2000), actor]),
  'sessions.revokeLogin': z.tuple([login, z.string().max(2000), actor]),
  'sessions.list': z.tuple([z.object({ login: login.optional() })]),

  'operations.recall': z.tuple([operationKeyPart, operationKeyPart, short]),
  'operations.begin': z.tuple([
    z.object({
      caller: operationKeyPart,
      key: operationKeyPart,
      kind: short,
      tag: short,
      login: login.nullable(),
      requestId: short.optional(),
      address: short.optional(),
      asked: text.optional(),
      fingerprint: short,
      request: text,
      instanceId: short,
      deadlineAtMs: z.number(),
      trading: z.boolean(),
      budget: short,
      symbol: short.optional(),
      group: short.optional(),
      trade: z
        .object({ side: z.enum(['buy', 'sell']), volume: units, reduces: z.string().max(20).optional() })
        .optional(),
      amount: units.optional(),
      limits: z
        .object({
          ordersPerMinute: count.optional(),
          maxPositions: z.object({ most: count, held: count }).optional(),
          maxExposure: z.object({ most: units, held: signedUnits }).optional(),
          reducible: units.optional(),
          maxAmountPerDay: units.optional(),
          readForMs: z.number(),
        })
        .optional(),
    }),
  ]),
  'operations.drop': z.tuple([operationKeyPart, operationKeyPart, short]),
  'operations.move': z.tuple([
    operationKeyPart,
    operationKeyPart,
    z.object({
      to: operationState,
      answer: z.object({ status: z.int().min(100).max(599), body: text }).optional(),
      request: text.optional(),
      login: login.optional(),
      emptyLook: z.boolean().optional(),
    }),
  ]),
  'operations.get': z.tuple([operationKeyPart, operationKeyPart]),
  'operations.list': z.tuple([
    z.object({
      caller: short.optional(),
      tag: short.optional(),
      state: operationState.optional(),
      login: login.optional(),
      logins: z.array(z.tuple([count, count])).optional(),
      limit,
      cursor: short.optional(),
    }),
  ]),
  'operations.unsettled': z.tuple([limit]),
  'operations.waiting': none,
  'operations.orphan': z.tuple([short.nullable()]),
  'operations.halts': none,
  'operations.halt': z.tuple([haltScope, z.string().max(2000), actor]),
  'operations.resume': z.tuple([haltScope, actor]),
  'operations.parts': z.tuple([operationKeyPart, operationKeyPart]),
  'operations.fingerprintSecret': none,
  'operations.latest': none,
  'operations.unknownTags': z.tuple([z.array(short).max(100_000)]),
  'operations.distrust': z.tuple([z.string().max(2000), z.array(short).max(100_000)]),

  'symbols.used': z.tuple([z.array(short).max(10_000)]),
  'symbols.inUse': none,

  'journal.add': z.tuple([
    z.object({
      event: z.enum(JOURNAL_EVENTS),
      reason: z.string().max(2000),
      instanceId: short.nullable(),
      epoch: count.nullable(),
      phasesMs: phasesMs.nullable(),
    }),
  ]),
  'journal.list': z.tuple([limit]),

  'margin.known': none,
  'margin.saw': z.tuple([
    z
      .array(
        z.object({
          login,
          activation: z.enum(['none', 'margin_call', 'stop_out']),
          sinceMs: z.number().nullable(),
          group: short.optional(),
          equity: short.nullable(),
          margin: short.nullable(),
          marginLevel: short.nullable(),
        }),
      )
      .max(100_000),
  ]),
  'margin.closed': z.tuple([
    z
      .array(
        z.object({
          login,
          group: short.optional(),
          ticket: short,
          position: short.nullable(),
          symbol: short.nullable(),
          volume: short.nullable(),
          price: short.nullable(),
          profit: short.nullable(),
          comment: short.nullable(),
        }),
      )
      .max(100_000),
  ]),

  'figures.last': none,
  'figures.keep': z.tuple([short, figuresReportSchema]),
};

export type StateMethod = MethodName;

export const isStateMethod = (name: string): name is StateMethod => Object.hasOwn(STATE_METHODS, name);
