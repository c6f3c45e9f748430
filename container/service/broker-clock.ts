import type { WireObject } from '../webapi/fields.ts';
import { Fields, payload, isWireObject, payloadScalar } from '../webapi/fields.ts';
import { BrokerClock, clockSettings, measuredSettings, parseServerTime } from '../webapi/time.ts';
import type { Broker, ReadContext } from './broker.ts';
import { isMissing } from './broker.ts';

/** The zone changes by an administrator's hand; its daylight rule is in the clock itself. */
const FRESH_MS = 10 * 60_000;

export interface ClockReading {
  readonly clock: BrokerClock;
  /** Server time minus UTC as seen, ms; null where the server did not tell its time. */
  readonly measuredOffsetMs: number | null;
  readonly readAtMs: number;
}

/** The broker's clock, read once and then again in the background. */
export class ClockSource {
  readonly #broker: Broker;
  readonly #now: () => number;
  #reading: ClockReading | undefined;
  #pending: Promise<ClockReading> | undefined;

  constructor(broker: Broker, now: () => number) {
    this.#broker = broker;
    this.#now = now;
  }

  /** @throws BridgeError where the server cannot be asked */
  async get(context: ReadContext): Promise<BrokerClock> {
    return (await this.read(context)).clock;
  }

  async read(context: ReadContext): Promise<ClockReading> {
    const kept = this.#reading;
    if (!kept) return this.#refresh(context);
    if (this.#now() - kept.readAtMs > FRESH_MS) this.#refresh(context).catch(() => undefined);
    return kept;
  }

  /** After `time/set`, or when the server is another one. */
  invalidate(): void {
    this.#reading = undefined;
  }

  #refresh(context: ReadContext): Promise<ClockReading> {
    this.#pending ??= this.#ask(context).finally(() => (this.#pending = undefined));
    return this.#pending;
  }

  async #ask(context: ReadContext): Promise<ClockReading> {
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
      if (!settings && !measured && asked.status === 'rejected' && !isMissing(asked.reason)) throw asked.reason;
    // A server that tells neither its zone nor its time is taken at UTC: its clock is then said not to be measured.
    const clock = new BrokerClock(
      settings
        ? clockSettings({ ...settings, ...(measured ? { measured } : {}) })
        : measuredSettings(measured?.offsetMs ?? 0),
    );
    this.#reading = { clock, measuredOffsetMs: measured?.offsetMs ?? null, readAtMs: utcMs };
    return this.#reading;
  }
}

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
