import { z } from 'zod';

/**
 * What a container program tells of itself every ten seconds, and once more when it ends. Its Durable Object, or the
 * state's file on a VPS, keeps the last one: it is what is known while no program runs, and the next one's counters go on
 * from it.
 */

const epochMs = z.number().nullable();

/** What only the program knows of the road to the broker. */
const programFactsSchema = z.object({
  /** When the broker answered anything, and when it said that the session stands. */
  lastAnswerAtMs: epochMs,
  lastHeartbeatAtMs: epochMs,
  /** The broker's clock minus UTC, and when that was measured. */
  clock: z.object({ offsetMs: z.number(), readAtMs: z.number() }).nullable(),
  pool: z.object({ connections: z.int(), most: z.int(), busy: z.int(), waiting: z.int() }),
  /** Followed by streams: when the last new tick was seen, and whether that is too long ago inside the quote hours. */
  symbols: z.array(z.object({ symbol: z.string(), lastTickAtMs: z.number(), stale: z.boolean() })).readonly(),
  /** Symbols that are followed, told or not, and how many of them are stale. */
  followed: z.object({ symbols: z.int(), stale: z.int() }),
  feed: z.record(z.string(), z.int()),
});
export type ProgramFacts = Readonly<z.infer<typeof programFactsSchema>>;

export const figuresReportSchema = z.object({
  atMs: z.number(),
  facts: programFactsSchema,
  metrics: z.record(z.string(), z.record(z.string(), z.union([z.number(), z.array(z.number()).readonly()]))),
});
export type FiguresReport = Readonly<z.infer<typeof figuresReportSchema>>;

/** How often it is told. */
export const FIGURES_EVERY_MS = 10_000;
/** Symbols that are told one by one. */
export const MOST_TOLD_SYMBOLS = 100;
