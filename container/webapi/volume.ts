/**
 * MT5 counts volume twice: `Volume` in 1/10 000 lot and, in newer builds, `VolumeExt` in 1/100 000 000 lot
 * (mt5-webapi §3.0). Inside the bridge a volume is a decimal string of lots; both conversions are exact.
 */
import { formatScaled, scaledDecimal } from './decimal.ts';

/** 10^4 units of `Volume` and 10^8 units of `VolumeExt` make one lot. */
const VOLUME_PLACES = 4;
const VOLUME_EXT_PLACES = 8;
/** Lots are written as brokers write them: `0.10`. */
const LOT_PLACES = 2;
/** Both fields are unsigned 64-bit on the wire. */
const MAX_UNITS = 2n ** 64n - 1n;

const units = (text: string | undefined): bigint | undefined => {
  const value = text === undefined ? undefined : scaledDecimal(text, 0);
  return value === undefined || value < 0n || value > MAX_UNITS ? undefined : value;
};

/**
 * Lots from the two fields. `VolumeExt` is the finer one and wins, unless an older build left it at 0 beside a `Volume`.
 * `undefined` where neither field is a whole number.
 */
export function lotsFromVolume(volume: string | undefined, volumeExt: string | undefined): string | undefined {
  const fine = volumeUnits(volume, volumeExt);
  return fine === undefined ? undefined : lotsOf(fine);
}

/** Lots, from 1/100 000 000 lot. */
export const lotsOf = (volumeUnits: bigint): string => formatScaled(volumeUnits, VOLUME_EXT_PLACES, LOT_PLACES);

/** 1/100 000 000 lot, from the two fields; as `lotsFromVolume`. */
export function volumeUnits(volume: string | undefined, volumeExt: string | undefined): bigint | undefined {
  const fine = units(volumeExt);
  const coarse = units(volume);
  if (fine !== undefined && (fine !== 0n || coarse === undefined)) return fine;
  return coarse === undefined ? undefined : coarse * 10n ** BigInt(VOLUME_EXT_PLACES - VOLUME_PLACES);
}

export interface WireVolume {
  /** 1/10 000 lot. */
  readonly volume: string;
  /** 1/100 000 000 lot. */
  readonly volumeExt: string;
}

/**
 * The two fields from lots. `undefined` where the text is no decimal, is negative, is finer than 1/100 000 000 lot, or
 * is too large; where it is finer than 1/10 000 lot, `volume` is cut (the server then reads `volumeExt`).
 */
export function volumeFromLots(lots: string): WireVolume | undefined {
  const fine = scaledDecimal(lots, VOLUME_EXT_PLACES);
  if (fine === undefined || fine < 0n || fine > MAX_UNITS) return undefined;
  const coarse = fine / 10n ** BigInt(VOLUME_EXT_PLACES - VOLUME_PLACES);
  return { volume: coarse.toString(), volumeExt: fine.toString() };
}
