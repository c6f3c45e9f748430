import { serverFromUtc, type ServerZone } from './calendar.ts';

/** The broker's clock: follows an injected source at a speed, can be set, knows the server's zone. */
export interface BrokerClock {
  zone: ServerZone;
  /** Milliseconds since 1970, UTC, as the broker believes. */
  utcMs: () => number;
  serverMs: () => number;
  /** Unix seconds in server time. */
  serverSeconds: () => number;
  set: (utcMs: number) => void;
  setSpeed: (factor: number) => void;
  readonly speed: number;
}

interface ClockOptions {
  /** Source of real time. */
  now: () => number;
  zone: ServerZone;
  startUtcMs?: number | undefined;
  speed?: number | undefined;
}

export function createClock(options: ClockOptions): BrokerClock {
  const { now } = options;
  let speed = options.speed ?? 1;
  let anchorReal = now();
  let anchorUtc = options.startUtcMs ?? anchorReal;
  const utcMs = (): number => Math.floor(anchorUtc + (now() - anchorReal) * speed);
  const anchorAt = (utc: number): void => {
    anchorReal = now();
    anchorUtc = utc;
  };
  const clock: BrokerClock = {
    zone: options.zone,
    utcMs,
    serverMs: () => serverFromUtc(utcMs(), clock.zone),
    serverSeconds: () => Math.floor(clock.serverMs() / 1000),
    set: anchorAt,
    setSpeed: (factor) => {
      anchorAt(utcMs());
      speed = factor;
    },
    get speed() {
      return speed;
    },
  };
  return clock;
}
