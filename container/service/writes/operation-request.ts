import { z } from 'zod';

/**
 * What a ledger row keeps of its request: what is needed to find its effect in the broker's books, and nothing else;
 * never a password. Values of records are MT5's own names and texts.
 */
const record = z.record(z.string(), z.string());
const sent = {
  /** Nothing of it was handed to a connection after this moment, epoch ms. */
  sentBeforeMs: z.number(),
  /** HTTP status of the plain success. */
  status: z.int(),
  /** What was answered, or why nothing was, where that does not tell how it ended. */
  reason: z.string().optional(),
};
const login = z.int();
const ticket = z.string();

const operationRequestSchema = z.discriminatedUnion('effect', [
  /** Orders and deals that carry the tag in their comment. */
  z.object({
    ...sent,
    effect: z.literal('tagged_trade'),
    login,
    pending: z.boolean(),
    dealerPrice: z.string().optional(),
  }),
  /** A balance operation: a deal that carries the tag. */
  z.object({ ...sent, effect: z.literal('tagged_deal'), login }),
  z.object({ ...sent, effect: z.literal('order_removed'), login, ticket }),
  z.object({ ...sent, effect: z.literal('order_changed'), login, ticket, before: record, wanted: record }),
  z.object({ ...sent, effect: z.literal('position_changed'), login, ticket, before: record, wanted: record }),
  z.object({ ...sent, effect: z.literal('user_changed'), login, before: record, wanted: record }),
  z.object({ ...sent, effect: z.literal('user_deleted'), login }),
  z.object({ ...sent, effect: z.literal('password_changed'), login, changedAtBefore: z.string() }),
  z.object({
    ...sent,
    effect: z.literal('user_created'),
    login: login.nullable(),
    group: z.string(),
    name: z.string(),
    /** Accounts of that name that were there before. */
    loginsBefore: z.array(z.string()),
  }),
  /** One operation per ticket, under `key/ticket`. */
  z.object({ ...sent, effect: z.literal('bulk'), login: login.nullable(), tickets: z.array(ticket) }),
  /** Nothing that the books could show. */
  z.object({ ...sent, effect: z.literal('untraceable') }),
]);

export type OperationRequest = z.infer<typeof operationRequestSchema>;
export type EffectName = OperationRequest['effect'];
export type RequestOf<Effect extends EffectName> = Extract<OperationRequest, { effect: Effect }>;

/** `undefined` for a row of another version that this one cannot read. */
export function parseOperationRequest(text: string): OperationRequest | undefined {
  try {
    return operationRequestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
