import { z } from 'zod';
import { DECIMAL_FORMAT } from '../decimals.ts';

/** Values as they come in and go out, each defined once. */

// ── Out ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

export const decimal = z.string().meta({
  format: DECIMAL_FORMAT,
  description: 'Exact decimal, as the broker gave it; a number with `?decimals=number`.',
});

/** MT5 tickets are unsigned 64-bit: strings, since a JSON number would lose digits. */
export const ticketOut = z.string().meta({ description: 'Ticket: digits of an unsigned 64-bit number.' });
export const loginOut = z.int();
export const instantOut = z.string().meta({ format: 'date-time', description: 'RFC 3339, UTC.' });
export const instantMsOut = z.int().meta({ description: 'Milliseconds since 1970, UTC.' });

/** Fields of the broker's object that have no place above, as sent. */
export const extra = z
  .record(z.string(), z.unknown())
  .meta({ description: 'Fields that this version does not know, under the broker’s names.' });

export const listOf = <Item extends z.ZodType>(
  item: Item,
): z.ZodObject<{ items: z.ZodArray<Item>; nextCursor: z.ZodNullable<z.ZodString> }> =>
  z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().meta({
      description: 'Send as `cursor` for what follows; `null` = that was all. A page may be shorter than `limit`.',
    }),
  });

/** A page about many accounts. */
export const readListOf = <Item extends z.ZodType>(
  item: Item,
): z.ZodObject<{
  items: z.ZodArray<Item>;
  nextCursor: z.ZodNullable<z.ZodString>;
  readAt: typeof instantOut;
  readAtMs: typeof instantMsOut;
}> => listOf(item).extend({ readAt: instantOut, readAtMs: instantMsOut });

const resumeCursor = z
  .string()
  .nullable()
  .meta({
    description:
      'The end of this page, on the last one too: send as `cursor` later for what came since. `null` where the list does ' +
      'not go by time, oldest first, or nothing was there yet.',
  });
type Resumable<List extends z.ZodObject> = z.ZodObject<List['shape'] & { resumeCursor: typeof resumeCursor }>;
/** A list that goes by time can be read on. */
export const resumable = <List extends z.ZodObject>(list: List): Resumable<List> => list.extend({ resumeCursor });

// ── In ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** What OpenAPI says of a value that comes as text and means something else. */
const documented = (openapi: Readonly<Record<string, unknown>>): { openapi: Readonly<Record<string, unknown>> } => ({
  openapi,
});

const LOGIN_EXPECTED = 'expected a login: a whole number from 1 to 9007199254740991';

/** A login in a path or query. */
export const loginIn = z
  .string()
  .regex(/^[1-9]\d{0,15}$/, LOGIN_EXPECTED)
  .transform(Number)
  .refine(Number.isSafeInteger, LOGIN_EXPECTED)
  .meta(documented({ type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'Login.' }));

/** A login in a JSON body. */
export const loginBody = z.int(LOGIN_EXPECTED).min(1, LOGIN_EXPECTED).meta({ description: 'Login.' });

export const ticketIn = z
  .string()
  .regex(/^[1-9]\d{0,18}$/, 'expected a ticket: a whole number of at most 19 digits')
  .meta({ description: 'Ticket.' });

/**
 * Control characters, and what MT5 gives a meaning of its own: `|` and `=` separate parameters in its text protocol, `,` and
 * `*` and a leading `!` make a mask, a backslash escapes (mt5-webapi §1.1, §3.0).
 */
const SYMBOL = /^(?!!)[^\p{C}\s|=,*\\](?:[^\p{Cc}\p{Cs}\p{Bidi_Control}|=,*\\]{0,62}[^\p{C}\s|=,*\\])?$/u;

export const symbolIn = z
  .string()
  .regex(SYMBOL, 'expected a symbol of 1–64 characters without control characters and without | = , * \\')
  .meta({ description: 'Symbol, with its case.' });

const MASK = /^[^\p{Cc}\p{Cs}\p{Bidi_Control}|=]{1,1024}$/u;
const MASK_EXPECTED =
  'expected a mask like "demo\\*,!demo\\old*" of 1–1024 characters without control characters, | and =';

export const groupMaskIn = z
  .string()
  .regex(MASK, MASK_EXPECTED)
  .meta({ description: 'Group mask: comma list, `*` = any text, leading `!` excludes (`real\\*,!real\\test*`).' });

/** A group's own name: a mask without what makes it one. */
export const groupIn = z
  .string()
  .regex(
    /^(?!!)[^\p{Cc}\p{Cs}\p{Bidi_Control}|=,*]{1,128}$/u,
    'expected a group like "real\\standard" of 1–128 characters, without * and ,',
  )
  .meta({ description: 'Group, as `real\\standard`.' });

export const symbolMaskIn = z
  .string()
  .regex(MASK, MASK_EXPECTED)
  .meta({ description: 'Symbol mask: comma list, `*` = any text, leading `!` excludes.' });

/** A comma list of values of one schema, no value twice. */
const commaList = <Out>(
  item: z.ZodType<Out, string>,
  maxCharacters: number,
  description: string,
): z.ZodType<readonly Out[], string> =>
  z
    .string()
    .max(maxCharacters, `expected at most ${maxCharacters} characters`)
    .transform((text) => [...new Set(text.split(','))])
    .pipe(z.array(item))
    .meta(documented({ type: 'string', maxLength: maxCharacters, description }));

/** `true` or `false` in a query; absent = false. */
export const flagIn = (description: string) =>
  z
    .enum(['true', 'false'], 'expected "true" or "false"')
    .transform((text) => text === 'true')
    .default(false)
    .meta(documented({ type: 'boolean', default: false, description }));

/** Text that something is searched by. */
export const soughtIn = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}\p{Bidi_Control}]{1,64}$/u, 'expected 1–64 characters without control characters')
  .refine((text) => text.trim() !== '', 'expected text that is not blank');

const MAX_SYMBOLS = 100;
export const symbolsIn = commaList(symbolIn, 4096, `Comma list of up to ${MAX_SYMBOLS} symbols.`).refine(
  (symbols) => symbols.length <= MAX_SYMBOLS,
  `expected at most ${MAX_SYMBOLS} symbols`,
);
/** Bounded by the URL alone (`MAX_TARGET_CHARACTERS`). */
export const loginsIn = commaList(loginIn, 14 * 1024, 'Comma list of logins, as many as the URL takes.');

const INSTANT_EXPECTED =
  'expected RFC 3339 like "2026-01-31T12:00:00Z" or milliseconds since 1970, between 1990 and 2100';
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d))?$/;
const MIN_INSTANT_MS = Date.UTC(1990, 0, 1);
const MAX_INSTANT_MS = Date.UTC(2100, 0, 1);

function parseInstant(text: string): number | undefined {
  // Seconds would read as January 1970 and fall out of the range: never taken for milliseconds in silence.
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [, year, month, day] = match.map(Number);
  // `Date` turns 31 February into March.
  const calendar = new Date(Date.UTC(year ?? 0, (month ?? 0) - 1, day));
  if (calendar.getUTCMonth() !== (month ?? 0) - 1 || calendar.getUTCDate() !== day) return undefined;
  const ms = Date.parse(text.replace(' ', 'T').toUpperCase());
  return Number.isNaN(ms) ? undefined : ms;
}

/** An instant in a query: UTC ms. */
export const instantIn = z
  .string()
  .transform((text, context) => {
    const ms = parseInstant(text);
    if (ms !== undefined && ms >= MIN_INSTANT_MS && ms < MAX_INSTANT_MS) return ms;
    context.addIssue({ code: 'custom', message: INSTANT_EXPECTED });
    return z.NEVER;
  })
  .meta(
    documented({
      type: 'string',
      maxLength: 40,
      description: 'RFC 3339 (`2026-01-31T12:00:00Z`, a date alone is midnight UTC) or milliseconds since 1970.',
    }),
  );

/** A whole number from 1 to `most` in a query. */
export const wholeIn = (most: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,5}$/, `expected a whole number from 1 to ${most}`)
    .transform(Number)
    .refine((value) => value <= most, `expected a whole number from 1 to ${most}`)
    .meta(documented({ type: 'integer', minimum: 1, maximum: most }));

export const limitIn = (fallback: number, most: number): z.ZodType<number, string | undefined> =>
  wholeIn(most)
    .default(fallback)
    .meta(
      documented({ type: 'integer', minimum: 1, maximum: most, default: fallback, description: 'Items per page.' }),
    );

/** Opaque to callers: a JSON list that begins with a string (`["`), in base64url. The rest `service/cursor.ts` checks. */
export const cursorIn = z
  .string()
  .regex(/^WyJ[A-Za-z0-9_-]{1,509}$/, 'expected a cursor as given in nextCursor')
  .meta({ description: '`nextCursor` of the page before.' });

const DECIMAL_EXPECTED = 'expected a decimal like "1.10850"';

/** A decimal in a JSON body: text, or a number for callers that send floats. */
export const decimalBody = z
  .union([z.string(), z.number()], { error: ({ input }) => (input === undefined ? undefined : DECIMAL_EXPECTED) })
  .transform(String)
  .pipe(z.string().regex(/^-?\d{1,15}(?:\.\d{1,10})?$/, DECIMAL_EXPECTED))
  .meta(documented({ type: 'string', description: 'Decimal like `"1.10850"`.' }));

export const positiveDecimalBody = decimalBody
  .refine((text) => !text.startsWith('-') && /[1-9]/.test(text), 'expected a decimal above 0')
  .meta(documented({ type: 'string', description: 'Decimal above 0, like `"1.10850"`.' }));

/** Lots: at most 8 places, the finer of MT5's two volume scales. */
export const lotsBody = positiveDecimalBody
  .refine((text) => (text.split('.')[1] ?? '').length <= 8, 'expected lots with at most 8 places, like "0.10"')
  .meta(documented({ type: 'string', description: 'Lots, like `"0.10"`; at most 8 places.' }));

export const positiveDecimalIn = z
  .string()
  .regex(/^\d{1,15}(?:\.\d{1,10})?$/, 'expected a decimal like "1.10850"')
  .refine((text) => /[1-9]/.test(text), 'expected a decimal above 0')
  .meta({ description: 'Decimal above 0, like `1.10850`.' });

export const decimalIn = z
  .string()
  .regex(/^-?\d{1,15}(?:\.\d{1,10})?$/, 'expected a decimal like "-1.50"')
  .meta({ description: 'Decimal, like `-1.50`.' });

export const lotsIn = positiveDecimalIn
  .refine((text) => (text.split('.')[1] ?? '').length <= 8, 'expected lots with at most 8 places, like "0.10"')
  .meta({ description: 'Lots, like `0.10`; at most 8 places.' });

export const sideIn = z.enum(['buy', 'sell'], 'expected "buy" or "sell"').meta({ description: 'Side.' });

/** `from` before `to`: for every query that has both. */
export const inOrder = (window: { from?: number | undefined; to?: number | undefined }): boolean =>
  window.from === undefined || window.to === undefined || window.from < window.to;
export const IN_ORDER = { error: 'expected a time after "from"', path: ['to'] };
