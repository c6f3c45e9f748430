import { BridgeError } from '../../contract/errors.ts';
import { addDecimals, plainDecimal } from '../../webapi/decimal.ts';
import type { Row } from '../../webapi/rows.ts';

/**
 * Time frames as MT5 draws them: they begin where the broker's clock begins them. Everything here is in server time,
 * whose days are all 24 hours long, so that daylight saving does not matter.
 */
export type Timeframe = keyof typeof FRAME_MINUTES | 'W1' | 'MN1';

const FRAME_MINUTES = {
  M1: 1,
  M2: 2,
  M3: 3,
  M4: 4,
  M5: 5,
  M6: 6,
  M10: 10,
  M12: 12,
  M15: 15,
  M20: 20,
  M30: 30,
  H1: 60,
  H2: 120,
  H3: 180,
  H4: 240,
  H6: 360,
  H8: 480,
  H12: 720,
  D1: 1440,
} as const;

export const MINUTE_SECONDS = 60;
const DAY_SECONDS = 86_400;
const WEEK_SECONDS = 7 * DAY_SECONDS;
/** 4 January 1970 was the first Sunday: MT5's weeks begin on Sundays. */
const FIRST_SUNDAY_SECONDS = 3 * DAY_SECONDS;

/** Server seconds of the beginning of the frame that holds this moment. */
export function frameStart(timeframe: Timeframe, serverSeconds: number): number {
  if (timeframe === 'MN1') {
    const date = new Date(serverSeconds * 1000);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / 1000;
  }
  if (timeframe === 'W1') {
    const since = serverSeconds - FIRST_SUNDAY_SECONDS;
    return serverSeconds - (((since % WEEK_SECONDS) + WEEK_SECONDS) % WEEK_SECONDS);
  }
  const frame = FRAME_MINUTES[timeframe] * MINUTE_SECONDS;
  return serverSeconds - (serverSeconds % frame);
}

/** Server seconds of the beginning of the frame after the one that begins here. */
export function nextFrame(timeframe: Timeframe, startSeconds: number): number {
  if (timeframe === 'MN1') {
    const date = new Date(startSeconds * 1000);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / 1000;
  }
  return startSeconds + (timeframe === 'W1' ? WEEK_SECONDS : FRAME_MINUTES[timeframe] * MINUTE_SECONDS);
}

/** A candle of the broker's minutes, or of one. */
export interface Bar {
  readonly startSeconds: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly tickVolume: number;
  readonly volume: string;
  readonly spread: number;
}

/** Columns of `data=dohlctvs`. */
const COLUMN = { time: 0, open: 1, high: 2, low: 3, close: 4, tickVolume: 5, volume: 6, spread: 7 } as const;

interface Frame {
  readonly startSeconds: number;
  /** Minutes that hold the opening, the highest, the lowest and the last price. */
  readonly first: Row;
  high: Row;
  low: Row;
  last: Row;
  tickVolume: number;
  volume: string;
  spread: number;
}

/**
 * Minutes, ascending and each once, into frames: nothing is made up for minutes or frames without trade. Floats tell
 * which minute is the highest; the price itself is that minute's text.
 */
export function aggregate(timeframe: Timeframe, minutes: readonly Row[]): Bar[] {
  const frames: Frame[] = [];
  let frame: Frame | undefined;
  let untilSeconds = -Infinity;
  for (const minute of minutes) {
    const at = cell(minute, COLUMN.time);
    if (!frame || at >= untilSeconds) {
      const startSeconds = frameStart(timeframe, at);
      untilSeconds = nextFrame(timeframe, startSeconds);
      frame = { startSeconds, first: minute, high: minute, low: minute, last: minute, ...counts(minute) };
      frames.push(frame);
      continue;
    }
    if (cell(minute, COLUMN.high) > cell(frame.high, COLUMN.high)) frame.high = minute;
    if (cell(minute, COLUMN.low) < cell(frame.low, COLUMN.low)) frame.low = minute;
    frame.last = minute;
    const more = counts(minute);
    frame.tickVolume += more.tickVolume;
    frame.volume = addDecimals(frame.volume, more.volume);
    frame.spread = Math.max(frame.spread, more.spread);
  }
  return frames.map(({ startSeconds, first, high, low, last, tickVolume, volume, spread }) => ({
    startSeconds,
    open: price(first, COLUMN.open),
    high: price(high, COLUMN.high),
    low: price(low, COLUMN.low),
    close: price(last, COLUMN.close),
    tickVolume,
    volume,
    spread,
  }));
}

const cell = (row: Row, column: number): number => row.values[column] ?? 0;

function counts(row: Row): { tickVolume: number; volume: string; spread: number } {
  const volume = cell(row, COLUMN.volume);
  return {
    tickVolume: Math.trunc(cell(row, COLUMN.tickVolume)),
    volume: Number.isSafeInteger(volume) ? String(volume) : (plainDecimal(row.texts[COLUMN.volume] ?? '') ?? '0'),
    spread: Math.trunc(cell(row, COLUMN.spread)),
  };
}

function price(row: Row, column: number): string {
  const value = plainDecimal(row.texts[column] ?? '');
  if (value === undefined) throw new BridgeError('broker_malformed', 'The broker sent a candle without a price.');
  return value;
}
