import { BridgeError } from '../../contract/errors.ts';
import type { WireObject } from '../../webapi/fields.ts';
import { Fields, payload, isWireObject, payloadScalar } from '../../webapi/fields.ts';
import { BrokerClock, clockSettings, measuredSettings, parseServerTime } from '../../webapi/time.ts';
import type { BrokerClockSettings } from '../../webapi/time.ts';
import type { Broker, ReadContext } from './broker.ts';
import { isMissing } from './broker.ts';

/** The zone changes by an administrator's hand; its daylight rule is in the clock itself. */
const FRESH_MS = 10 * 60_000;
/** The context of a background read of the clock. */
const REREAD_TIMEOUT_MS = 30_000;

export interface ClockReading {
  readonly clock: BrokerClock;
  /** Server time minus UTC as seen, ms; null where the server did not tell its time. */
  readonly measuredOffsetMs: number | null;
  readonly readAtMs: number;
}

/**
 * The broker's clock: read once, then again in the background. What an earlier process read serves until then, so that
 * the first calls of a cold start do not wait for it on the one connection there is.
 */
export class ClockSource {
  readonly #broker: Broker;
  readonly #now: () => number;
  readonly #keep: (settings: BrokerClockSettings | null) => void;
  #reading: ClockReading | undefined;
  /** For those who asked before the memory came. */
  readonly #onRecalled = new Set<(clock: BrokerClock) => void>();
  /** What the next process would be told; until there is a reading, it serves itself. */
  #kept: BrokerClock | null = null;
  #isRereading = false;
  /** Raised by invalidation: what was asked before it is not taken for true after. */
  #generation = 0;

  /** `keep` is told what the next process should know: null = nothing, ask. */
  constructor(
    broker: Broker,
    now: () => number,
    keep: (settings: BrokerClockSettings | null) => void = () => undefined,
  ) {
    this.#broker = broker;
    this.#now = now;
    this.#keep = keep;
  }

  /** As this process has seen it last; nobody is asked. */
  get lastReading(): ClockReading | undefined {
    return this.#reading;
  }

  /** What was kept by the process before this one. */
  recall(settings: BrokerClockSettings): void {
    if (this.#reading) return;
    const clock = new BrokerClock(settings);
    this.#kept = clock;
    for (const tell of this.#onRecalled) tell(clock);
  }

  /** @throws BridgeError where the server cannot be asked */
  async get(context: ReadContext): Promise<BrokerClock> {
    const known = this.#reading?.clock ?? this.#kept;
    if (known) {
      this.#rereadIfOld();
      return known;
    }
    const recalled = Promise.withResolvers<BrokerClock>();
    this.#onRecalled.add(recalled.resolve);
    try {
      return await Promise.race([recalled.promise, this.#ask(context).then(({ clock }) => clock)]);
    } finally {
      this.#onRecalled.delete(recalled.resolve);
    }
  }

  /** As this process has seen it. @throws BridgeError where the server cannot be asked */
  async read(context: ReadContext): Promise<ClockReading> {
    if (!this.#reading) return this.#ask(context);
    this.#rereadIfOld();
    return this.#reading;
  }

  /**
   * Server time now, as it was measured rather than by its zone, since a broker's clock may be wrong by minutes.
   * `again`: it was just seen to be wrong, so it is measured again.
   * @throws BridgeError where the server cannot be asked
   */
  async serverNowMs(context: ReadContext, again = false): Promise<number> {
    const { clock, measuredOffsetMs } = await (again ? this.#ask(context) : this.read(context));
    const nowMs = this.#now();
    return measuredOffsetMs === null ? clock.toServerMs(nowMs) : nowMs + measuredOffsetMs;
  }

  /** After `time/set`. */
  invalidate(): void {
    this.#generation++;
    this.#reading = undefined;
    this.#keepIfNew(null);
  }

  #rereadIfOld(): void {
    if (this.#isRereading || (this.#reading && this.#now() - this.#reading.readAtMs <= FRESH_MS)) return;
    this.#isRereading = true;
    // Behind what the caller is about to send: its own answer comes first.
    setImmediate(() => {
      this.#ask({ deadlineAtMs: this.#now() + REREAD_TIMEOUT_MS, signal: new AbortController().signal })
        .catch(() => undefined)
        .finally(() => (this.#isRereading = false));
    });
  }

  async #ask(context: ReadContext): Promise<ClockReading> {
    const generation = this.#generation;
    const [zone, time] = await Promise.allSettled([
      this.#broker.read('time/get', [], context),
      this.#broker.read('time/server', [], context),
    ]);
    const utcMs = this.#now();
    const serverMs =
      time.status === 'fulfilled' ? parseServerTime(payloadScalar(time.value.body, 'Time') ?? '') : undefined;
    const measured = serverMs === undefined ? undefined : { offsetMs: serverMs - utcMs, utcMs };
    const settings = zone.status === 'fulfilled' ? zoneOf(zone.value.body) : undefined;
    for (const asked of [zone, time])
      if (!settings && !measured && asked.status === 'rejected' && !tellsNone(asked.reason)) throw asked.reason;
    // A server that tells neither its zone nor its time is taken at UTC: its clock is then said not to be measured.
    const clock = new BrokerClock(
      settings
        ? clockSettings({ ...settings, ...(measured ? { measured } : {}) })
        : measuredSettings(measured?.offsetMs ?? 0),
    );
    const reading = { clock, measuredOffsetMs: measured?.offsetMs ?? null, readAtMs: utcMs };
    if (generation === this.#generation) {
      this.#reading = reading;
      this.#keepIfNew(settings || measured ? clock : null);
    }
    return reading;
  }

  #keepIfNew(clock: BrokerClock | null): void {
    const known = this.#kept?.settings;
    this.#kept = clock;
    const settings = clock?.settings;
    if (known?.zoneMinutes !== settings?.zoneMinutes || known?.daylight !== settings?.daylight)
      this.#keep(settings ?? null);
  }
}

/** Some builds answer `13 Not found` where others do not know the command. */
const tellsNone = (error: unknown): boolean =>
  isMissing(error) || (error instanceof BridgeError && error.code === 'object_not_found');

/** `TimeZone` is in minutes east of Greenwich, `Daylight` whether the server follows summer time at all. */
function zoneOf(body: WireObject): { zoneMinutes: number; daylightOn: boolean } | undefined {
  const value = payload(body);
  if (!isWireObject(value)) return undefined;
  const fields = new Fields(value);
  const zoneMinutes = fields.integer('TimeZone');
  if (zoneMinutes === undefined || Math.abs(zoneMinutes) > 14 * 60) return undefined;
  // `DaylightState` is left alone: sources do not agree whether 0 says "the zone has none" or "it is winter". What the
  // clock shows decides that in summer.
  return { zoneMinutes, daylightOn: (fields.integer('Daylight') ?? 0) !== 0 };
}
