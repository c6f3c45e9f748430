import { addDecimals, compareDecimals } from '../webapi/decimal.ts';

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

/** One minute as the server gives it, in the order of `data=dohlctvs`. */
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

/** Minutes, ascending and each once, into frames: nothing is made up for minutes or frames without trade. */
export function aggregate(timeframe: Timeframe, minutes: readonly Bar[]): Bar[] {
  const frames: Bar[] = [];
  for (const minute of minutes) {
    const startSeconds = frameStart(timeframe, minute.startSeconds);
    const current = frames.at(-1);
    if (!current || current.startSeconds !== startSeconds) frames.push({ ...minute, startSeconds });
    else frames[frames.length - 1] = joined(current, minute);
  }
  return frames;
}

const joined = (frame: Bar, minute: Bar): Bar => ({
  startSeconds: frame.startSeconds,
  open: frame.open,
  high: compareDecimals(minute.high, frame.high) > 0 ? minute.high : frame.high,
  low: compareDecimals(minute.low, frame.low) < 0 ? minute.low : frame.low,
  close: minute.close,
  tickVolume: frame.tickVolume + minute.tickVolume,
  volume: addDecimals(frame.volume, minute.volume),
  spread: Math.max(frame.spread, minute.spread),
});
