import { parseMask } from '../../contract/masks.ts';
import type { Holiday } from '../../contract/trading-calendar.ts';
import { Fields, payloadObjects, payloadScalar, type WireObject } from '../../webapi/fields.ts';
import { type Broker, isMissing, type ReadContext } from './broker.ts';

/** More are not looked at: a broker's list of a year has some dozens. */
const MOST_HOLIDAYS = 500;

export interface KnownHoliday {
  readonly holiday: Holiday;
  readonly description: string | null;
  readonly isFor: Applies;
}

/** A manager without the right to see them, or a build that has none, gives none. @throws BridgeError */
export async function readHolidays(broker: Pick<Broker, 'read'>, context: ReadContext): Promise<KnownHoliday[]> {
  try {
    const total = Number(payloadScalar((await broker.read('holiday/total', [], context)).body, 'Total') ?? 0);
    const found: KnownHoliday[] = [];
    for (let index = 0; index < Math.min(total, MOST_HOLIDAYS); index++) {
      const { body } = await broker.read('holiday/next', [['index', String(index)]], context);
      for (const wire of payloadObjects(body)) {
        const holiday = holidayOf(wire);
        const description = new Fields(wire).text('Description') ?? null;
        if (holiday) found.push({ holiday, description, isFor: appliesTo(wire) });
      }
    }
    return found;
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

type Applies = (symbol: string, path: string) => boolean;

function holidayOf(wire: WireObject): Holiday | undefined {
  const fields = new Fields(wire);
  const [year, month, day] = [fields.integer('Year') ?? 0, fields.integer('Month'), fields.integer('Day')];
  // `Mode` 0: written down and not in force.
  if (month === undefined || day === undefined || month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  if (year < 0 || year > 9999 || fields.integer('Mode') === 0) return undefined;
  const [from, to] = [fields.integer('WorkFrom') ?? 0, fields.integer('WorkTo') ?? 0];
  return { year, month, day, open: from >= 0 && from < to && to <= 1440 ? [from, to] : null };
}

/** Masks of names or of paths in the tree of symbols; none = all. */
function appliesTo(wire: WireObject): Applies {
  const told = new Fields(wire).take('Symbols');
  const masks = Array.isArray(told) ? told.filter((one) => typeof one === 'string') : [];
  if (masks.length === 0) return () => true;
  const mask = parseMask(masks.join(','));
  return (symbol, path) => mask.matches(symbol) || mask.matches(path);
}
