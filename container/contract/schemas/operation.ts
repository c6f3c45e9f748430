import { z } from 'zod';
import { decimal, flagIn, instantMsOut, instantOut, loginOut } from './values.ts';

/** The ledger as callers see it: `state/operation-view.ts` makes it. */

const OPERATION_STATE = [
  'sending',
  'pending',
  'done',
  'partial',
  'refused',
  'unknown',
  'not_executed',
  'unresolved',
] as const;

export const operationStateIn = z
  .enum(OPERATION_STATE, `expected one of ${OPERATION_STATE.join(', ')}`)
  .meta({ description: 'State of an operation.' });

export const operation = z
  .object({
    key: z.string().meta({ description: 'The `Idempotency-Key` it was sent with.' }),
    kind: z.string().meta({ description: '`order.place`, `position.close`, `balance`, `passthrough:trade/balance` …' }),
    state: z.enum(OPERATION_STATE).meta({
      description:
        '`sending` → `pending` (queued at the dealer) → `done` | `refused` (of a bulk request also `partial`); `unknown` while the bridge looks it up in ' +
        'the broker’s books → `done` | `refused` | `not_executed` | `unresolved` (the books cannot tell).',
    }),
    outcome: z.enum(['executed', 'partial', 'refused', 'not_executed', 'pending', 'unknown']),
    detail: z.string().meta({ description: 'The same in words.' }),
    login: loginOut.nullable(),
    caller: z.string().meta({ description: 'Id of the key that asked; `<key>/<login>` for a trader’s session.' }),
    requestId: z.string().nullable().meta({ description: '`X-Request-Id` of the write; `null` = not told.' }),
    tag: z.string().meta({ description: 'What the comment in the broker’s books ends with.' }),
    createdAt: instantOut,
    createdAtMs: instantMsOut,
    settledAt: instantOut.optional(),
    settledAtMs: instantMsOut.optional(),
    looks: z.int().meta({ description: 'Looks at the broker’s books that found nothing.' }),
    dealerPrice: decimal.optional().meta({ description: 'The price that a dealer named, in place of the market’s.' }),
    result: z.unknown().optional().meta({ description: 'The answer of the write, once there is one.' }),
  })
  .meta({ id: 'Operation' });

/** Asked for with `?dryRun=true`: everything is checked, nothing is sent. */
const dryRunIn = flagIn('Check everything, send nothing.');
export const dryRunQuery = z.strictObject({ dryRun: dryRunIn });

/** What the dealer said, and what became of it. */
export const tradeResult = z
  .object({
    retcode: z.int(),
    retcodeName: z.string(),
    detail: z
      .string()
      .meta({ description: '`executed`, `executed partially: 0.50 of 1.00 lots`, `requote` … in words.' }),
    volume: decimal.nullable().meta({ ...decimal.meta(), description: 'Lots that were executed.' }),
    price: decimal.nullable(),
    bid: decimal.nullable(),
    ask: decimal.nullable(),
    comment: z.string().nullable().meta({ description: 'Words of the dealer.' }),
    order: z.string().nullable().meta({ description: 'Ticket of the order.' }),
    deal: z.string().nullable().meta({ description: 'Ticket of the deal; null = nothing was traded at once.' }),
  })
  .meta({ id: 'TradeResult' });

export const margin = z
  .object({ current: z.record(z.string(), z.unknown()), after: z.record(z.string(), z.unknown()) })
  .meta({ id: 'DryRunMargin', description: 'The account as it is and as it would be (MT5 `trade/check_margin`).' });

/** What a dry run tells: the command as it would be sent, and the margin. */
export const dryRunAnswer = z
  .object({ request: z.record(z.string(), z.unknown()), margin: margin.nullable() })
  .meta({ id: 'DryRun' });

/**
 * A comment leaves room for the operation's tag: MT5 keeps 31 characters, the tag takes 10 and a blank. Control
 * characters and MT5's own separators are refused.
 */
export const COMMENT_CHARACTERS = 31;
export const TAG_CHARACTERS = 10;
const USER_COMMENT_CHARACTERS = COMMENT_CHARACTERS - TAG_CHARACTERS - 1;
/** With both: a blank between them. */
const OWN_CHARACTERS = USER_COMMENT_CHARACTERS - 1;
const COMMENT_EXPECTED =
  `expected at most ${USER_COMMENT_CHARACTERS} characters (UTF-16), since the bridge adds its tag; ` +
  'no control characters, no | and no =';

const commentBody = z
  .string()
  .max(USER_COMMENT_CHARACTERS, COMMENT_EXPECTED)
  .regex(/^[^\p{Cc}\p{Cs}\p{Bidi_Control}|=]*$/u, COMMENT_EXPECTED)
  .meta({ description: `Comment of at most ${USER_COMMENT_CHARACTERS} characters; the bridge adds its tag.` });

export const CLIENT_REFERENCE = /[A-Za-z0-9._:/#-]{1,20}/;
const clientReference = z
  .string()
  .regex(
    new RegExp(`^${CLIENT_REFERENCE.source}$`),
    'expected your own id: 1–20 letters, digits and . _ : / # -, without blanks',
  );
export const clientReferenceIn = clientReference.meta({
  description: 'Only those that were written with this `clientReference`.',
});

/** What a caller may write into the comment. */
export const ownWords = {
  comment: commentBody.optional(),
  clientReference: clientReference.optional().meta({
    description:
      'Your own id. It stands in the broker’s comment before the tag, and every order, position and deal that comes of ' +
      `this has it as \`clientReference\`. With a comment, both together at most ${OWN_CHARACTERS} characters.`,
  }),
};
interface OwnWords {
  readonly comment?: string | undefined;
  readonly clientReference?: string | undefined;
}
export const ownWordsFit = {
  check: ({ comment = '', clientReference: id = '' }: OwnWords) =>
    comment === '' || id === '' || comment.length + id.length <= OWN_CHARACTERS,
  params: {
    path: ['clientReference'],
    error: `expected at most ${OWN_CHARACTERS} characters together with the comment: MT5 keeps ${COMMENT_CHARACTERS}, the bridge adds its tag`,
  },
};

/** Passwords come in bodies only; MT5 wants 8–16 characters of all classes, and says itself what it does not like. */
export const passwordBody = z
  .string()
  .min(1, 'expected a password')
  .max(64, 'expected a password of at most 64 characters')
  .regex(/^[^\p{Cc}\p{Cs}\p{Bidi_Control}]*$/u, 'expected a password without control characters')
  .meta({ format: 'password', description: 'Never stored, logged or returned.' });
