import { type AuditedEvent, DAY_TYPE, parseLine, recordLine } from './record.ts';

/**
 * An object's text without the events that match: their records keep number, digest and hash, so that the chain holds. The
 * object has to be replaced in the store by hand, which a bucket lock forbids until its time is over.
 */
export function eraseEvents(
  text: string,
  matches: (event: AuditedEvent) => boolean,
): { readonly text: string; readonly erased: readonly number[] } {
  const erased: number[] = [];
  const lines = text.split('\n').map((line) => {
    const record = line === '' ? undefined : parseLine(line);
    if (!record?.event || record.event['type'] === DAY_TYPE || !matches(record.event)) return line;
    erased.push(record.seq);
    return recordLine({ ...record, event: null }).slice(0, -1);
  });
  return { text: lines.join('\n'), erased };
}
