/** The control port's view of the clock. */
import { formatServerTime, type DaylightRule } from './calendar.ts';
import type { BrokerClock } from './clock.ts';

const RULES: readonly DaylightRule[] = ['none', 'eu', 'us'];
/** A day in 4.3 seconds. */
const MOST_SPEED = 20_000;

export function clockJson(clock: BrokerClock): object {
  return {
    utcMs: clock.utcMs(),
    utc: new Date(clock.utcMs()).toISOString(),
    serverMs: clock.serverMs(),
    server: formatServerTime(clock.serverMs()),
    speed: clock.speed,
    offsetMinutes: clock.zone.offsetMinutes,
    daylight: clock.zone.daylight,
  };
}

/** `{utcMs? | utc?, speed?, offsetMinutes?, daylight?}`; the sentence about what is wrong, or undefined. */
export function changeClock(clock: BrokerClock, change: unknown): string | undefined {
  if (typeof change !== 'object' || change === null)
    return 'expected an object {utcMs, utc, speed, offsetMinutes, daylight}';
  const { utcMs, utc, speed, offsetMinutes, daylight } = change as Record<string, unknown>;
  const instant = utcMs ?? (typeof utc === 'string' ? Date.parse(utc) : undefined);
  if (instant !== undefined && !(typeof instant === 'number' && Number.isFinite(instant) && instant >= 0)) {
    return 'utcMs, utc: expected milliseconds since 1970 or an RFC 3339 time';
  }
  if (speed !== undefined && !(typeof speed === 'number' && speed >= 0 && speed <= MOST_SPEED)) {
    return `speed: expected a number from 0 to ${MOST_SPEED}`;
  }
  if (offsetMinutes !== undefined && !(typeof offsetMinutes === 'number' && Math.abs(offsetMinutes) <= 840)) {
    return 'offsetMinutes: expected a number from -840 to 840';
  }
  const rule = RULES.find((candidate) => candidate === daylight);
  if (daylight !== undefined && rule === undefined) return `daylight: expected one of ${RULES.join(', ')}`;
  clock.zone = {
    offsetMinutes: typeof offsetMinutes === 'number' ? offsetMinutes : clock.zone.offsetMinutes,
    daylight: rule ?? clock.zone.daylight,
  };
  if (typeof instant === 'number') clock.set(instant);
  if (typeof speed === 'number') clock.setSpeed(speed);
  return undefined;
}
