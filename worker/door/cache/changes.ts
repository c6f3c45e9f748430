import type { PassedCommand } from '../../../container/contract/commands.ts';
import { changedBy, REFERENCE_CLASSES, type ReferenceClass } from '../../../container/contract/reference-data.ts';

/** Reference data that a raw command may change. */
export function changesOf({ path, mutation, target }: PassedCommand): readonly ReferenceClass[] {
  if (!mutation) return [];
  // What a plug-in's command does is not known.
  if (target !== undefined) return REFERENCE_CLASSES;
  const changed = changedBy(path);
  return REFERENCE_CLASSES.filter((one) => changed.includes(one));
}
