import { eventTypeMatches } from '../../contract/events.ts';
import { type AuditRecord, parseObject } from './record.ts';
import { type AuditStore, dayOf, keyBefore, readObjectKey } from './store.ts';

export interface AuditQuery {
  /** Epoch ms, both included. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly type?: string | undefined;
  readonly login?: number | undefined;
  readonly caller?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface AuditPage {
  readonly items: readonly AuditRecord[];
  readonly nextCursor: string | null;
}

/** Objects of one page: a filter that few records pass is answered in several pages, some of them short. */
const OBJECTS_PER_PAGE = 50;
/** Events of several sources may be some time out of order. */
const DISORDER_MS = 86_400_000;

/** Records of the store, oldest first. */
export async function readAudit(store: AuditStore, broker: string, query: AuditQuery): Promise<AuditPage> {
  const items: AuditRecord[] = [];
  let start = placeOf(broker, query);
  for (let objects = 0; ;) {
    const keys = await store.list(`${broker}/`, start.after);
    const page = start.key === undefined ? keys : [start.key, ...keys];
    for (const key of page) {
      if (objects++ >= OBJECTS_PER_PAGE) return { items, nextCursor: cursorOf(key, 0) };
      const skip = key === start.key ? start.skip : 0;
      const text = await store.read(key);
      const records = parseObject(text ?? '');
      const firstMs = timeOf(records.find((record) => record?.event));
      if (query.toMs !== undefined && firstMs !== undefined && firstMs > query.toMs + DISORDER_MS)
        return { items, nextCursor: null };
      for (const [i, record] of records.entries()) {
        if (i < skip || !record || !passes(record, query)) continue;
        if (items.length >= query.limit) return { items, nextCursor: cursorOf(key, i) };
        items.push(record);
      }
    }
    const last = page.at(-1);
    if (keys.length === 0 || last === undefined) return { items, nextCursor: null };
    start = { after: last, key: undefined, skip: 0 };
  }
}

interface Place {
  readonly after: string;
  /** Read before those that come after. */
  readonly key: string | undefined;
  readonly skip: number;
}

function placeOf(broker: string, { cursor, fromMs }: AuditQuery): Place {
  if (cursor !== undefined) {
    const [place = '', skip = '0'] = cursor.split('.');
    const key = `${broker}/${place}.ndjson`;
    return { after: key, key, skip: Number(skip) };
  }
  // An event is in an object of its own day or a later one.
  return { after: fromMs === undefined ? '' : keyBefore(broker, dayOf(fromMs)), key: undefined, skip: 0 };
}

function cursorOf(key: string, skip: number): string {
  const { day = '', seq = 0 } = readObjectKey(key) ?? {};
  return `${day.replaceAll('-', '/')}/${String(seq).padStart(15, '0')}.${skip}`;
}

const timeOf = (record: AuditRecord | undefined): number | undefined => {
  const timeMs = record?.event?.['timeMs'];
  return typeof timeMs === 'number' ? timeMs : undefined;
};

function passes(record: AuditRecord, { fromMs, toMs, type, login, caller }: AuditQuery): boolean {
  const isNarrow = [fromMs, toMs, type, login, caller].some((wanted) => wanted !== undefined);
  const { event } = record;
  if (!isNarrow || event === null) return !isNarrow;
  const timeMs = timeOf(record);
  return (
    (fromMs === undefined || (timeMs !== undefined && timeMs >= fromMs)) &&
    (toMs === undefined || (timeMs !== undefined && timeMs <= toMs)) &&
    (type === undefined || eventTypeMatches(type, String(event['type']))) &&
    (login === undefined || event['login'] === login) &&
    (caller === undefined || event['caller'] === caller)
  );
}
