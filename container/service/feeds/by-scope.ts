import { isShown, type BookSlice } from '../../contract/slice-keys.ts';
import type { WireObject } from '../../webapi/fields.ts';
import { inParts } from '../broker/breathe.ts';
import type { BatchPath, FeedReads } from './reads.ts';

type Window = readonly (readonly [name: string, value: string])[];

/** Rows that were read, and the slices that they are of. */
export interface ScopedRows<Slice> {
  readonly rows: readonly WireObject[];
  /** Slices of the login, or of the group that were asked for and show this login. */
  readonly of: (login: string) => readonly Slice[];
}

/** A part of the slices that has been read whole. */
export interface Ended<Slice> {
  readonly ended: readonly Slice[];
}

/** Reads logins by batches and each group mask once, in parts; tells when slices have been read whole. */
export async function* readSlices<Slice extends BookSlice>(
  reads: FeedReads,
  path: BatchPath,
  slices: Iterable<Slice>,
  window: Window = [],
): AsyncGenerator<ScopedRows<Slice> | Ended<Slice>> {
  const logins = new Map<string, Slice[]>();
  const masks = new Map<string, Slice[]>();
  for (const slice of slices) {
    const [map, name] = slice.login === undefined ? [masks, slice.mask ?? ''] : [logins, slice.login];
    const list = map.get(name);
    if (list) list.push(slice);
    else map.set(name, [slice]);
  }
  const ofLogin = (login: string): readonly Slice[] => logins.get(login) ?? [];
  for await (const batch of reads.batches(path, logins.keys(), window)) {
    for await (const rows of inParts(batch.rows)) yield { rows, of: ofLogin };
    yield { ended: batch.logins.flatMap(ofLogin) };
  }
  for (const [mask, list] of masks) {
    const isOpen = list.every(({ only }) => only === undefined);
    const of = isOpen ? () => list : (login: string) => list.filter((slice) => isShown(slice, login));
    for await (const answer of reads.ofGroup(path, mask, window))
      for await (const rows of inParts(answer)) yield { rows, of };
    yield { ended: list };
  }
}
