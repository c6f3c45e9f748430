import { BridgeError } from '../../contract/errors.ts';
import {
  RATED_ORDER_TYPES,
  type AnyObjectDefinition,
  type ObjectOf,
  type Read,
} from '../../contract/schemas/object.ts';
import { plainDecimal } from '../../webapi/decimal.ts';
import { Fields, isWireObject, wireInteger } from '../../webapi/fields.ts';
import type { WireObject, WireValue } from '../../webapi/fields.ts';
import { fileTimeToMs, rfc3339 } from '../../webapi/time.ts';
import type { BrokerClock } from '../../webapi/time.ts';
import { lotsFromVolume } from '../../webapi/volume.ts';
import { clientReferenceIn } from './own-comment.ts';

/** Unsigned 64-bit, as tickets are. */
const TICKET = /^\d{1,20}$/;
/** Server times of the year 9999 and later are not dates but "never". */
const LAST_MS = Date.UTC(9999, 0, 1);

/**
 * One object of the server as its contract type, by the definition's table. Missing and unreadable fields are null,
 * unknown ones go to `extra`.
 * @throws BridgeError `broker_malformed` where a field is missing that the object cannot be told apart without
 */
export function decodeObject<Definition extends AnyObjectDefinition>(
  definition: Definition,
  object: WireObject,
  clock: BrokerClock,
): ObjectOf<Definition> {
  const fields = new Fields(object);
  const decoded: Record<string, unknown> = {};
  for (const { name, read, reader } of compiled(definition)) {
    const value = reader(fields, read, clock) ?? null;
    if (value === null && read.required)
      throw new BridgeError(
        'broker_malformed',
        `The broker sent ${definition.title}.${name} without ${read.sources.join(' or ')}.`,
      );
    decoded[name] = value;
  }
  fields.take(...definition.secrets);
  decoded['extra'] = fields.rest();
  return decoded as ObjectOf<Definition>;
}

interface CompiledEntry {
  readonly name: string;
  readonly read: Read;
  readonly reader: Reader;
}

const compiledOf = new WeakMap<AnyObjectDefinition, readonly CompiledEntry[]>();

function compiled(definition: AnyObjectDefinition): readonly CompiledEntry[] {
  const known = compiledOf.get(definition);
  if (known) return known;
  const entries = Object.entries(definition.entries).map(([name, { read }]) => ({
    name,
    read,
    reader: READERS[read.kind],
  }));
  compiledOf.set(definition, entries);
  return entries;
}

const NO_NAMES: Readonly<Record<number, string>> = {};
const bitsKnown = new WeakMap<object, readonly (readonly [number, string])[]>();

/** A table of flags as it is looked through for each row. */
function bitsOf(names: Readonly<Record<number, string>>): readonly (readonly [number, string])[] {
  let bits = bitsKnown.get(names);
  if (!bits) bitsKnown.set(names, (bits = Object.entries(names).map(([bit, name]) => [Number(bit), name])));
  return bits;
}

type Reader = (fields: Fields, read: Read, clock: BrokerClock) => unknown;

const READERS: Readonly<Record<Read['kind'], Reader>> = {
  text: (fields, { sources }) => fields.textOf(sources),
  decimal: (fields, { sources }) => {
    const text = fields.textOf(sources);
    return text === undefined ? undefined : plainDecimal(text.trim());
  },
  integer: (fields, { sources }) => wireInteger(fields.textOf(sources)),
  login: (fields, { sources }) => wireInteger(fields.textOf(sources)),
  ticket: (fields, { sources, required }) => {
    const text = fields.textOf(sources)?.trim();
    if (text === undefined || !TICKET.test(text)) return undefined;
    const plain = text.replace(/^0+(?=\d)/, '');
    return plain === '0' && !required ? undefined : plain;
  },
  flag: (fields, { sources }) => {
    const value = wireInteger(fields.textOf(sources));
    return value === undefined ? undefined : value !== 0;
  },
  lots: (fields, { sources }) => {
    const [volume = '', volumeExt = ''] = sources;
    // Both are read, so that neither is left over.
    const coarse = fields.text(volume);
    return lotsFromVolume(coarse, fields.text(volumeExt));
  },
  instant: (fields, read, clock) => {
    const ms = readInstant(fields, read, clock);
    return ms === undefined ? undefined : rfc3339(ms);
  },
  instantMs: (fields, read, clock) => readInstant(fields, read, clock),
  enum: (fields, { sources, names }) => {
    const value = wireInteger(fields.textOf(sources));
    return value === undefined ? undefined : names?.[value];
  },
  flags: (fields, { sources, names }) => {
    const value = wireInteger(fields.textOf(sources));
    if (value === undefined) return undefined;
    const set: string[] = [];
    for (const [bit, name] of bitsOf(names ?? NO_NAMES)) if (Math.floor(value / bit) % 2 === 1) set.push(name);
    return set;
  },
  apiData: (fields, { sources }) => {
    const cells = fields.take(...sources);
    return Array.isArray(cells)
      ? cells.flatMap((cell) => (isWireObject(cell) ? apiCell(new Fields(cell)) : []))
      : undefined;
  },
  orderTypeRates: (fields, { sources: [nested = '', ...flat] }) => {
    const inner = fields.take(nested);
    const texts = flat.map((source) => fields.text(source));
    if (texts.every((text) => text === undefined) && inner === undefined) return undefined;
    const byType = isWireObject(inner) ? new Fields(inner) : undefined;
    return Object.fromEntries(
      Object.entries(RATED_ORDER_TYPES).map(([type, wire], i) => {
        const cell = Array.isArray(inner) ? (inner as readonly WireValue[])[i] : byType?.text(wire);
        const text = texts[i] ?? (typeof cell === 'string' ? cell : undefined);
        return [type, text === undefined ? null : (plainDecimal(text.trim()) ?? null)];
      }),
    );
  },
  objects: (fields, { sources, definition }, clock) => {
    const rows = fields.take(...sources);
    const login = fields.text('Login');
    if (!Array.isArray(rows) || !definition) return undefined;
    return rows.flatMap((row) => {
      if (!isWireObject(row)) return [];
      const isNamed = login === undefined || new Fields(row).text('Login') !== undefined;
      return [decodeObject(definition, isNamed ? row : { ...row, Login: login }, clock)];
    });
  },
  clientReference: (fields, { sources }) => clientReferenceIn(fields.textOf(sources) ?? ''),
  raw: (fields, { sources }) => fields.take(...sources),
};

function apiCell(cell: Fields): unknown[] {
  const values = {
    appId: cell.integer('AppID') ?? 0,
    id: cell.integer('ID') ?? 0,
    valueInt: cell.text('ValueInt') ?? '0',
    valueUint: cell.text('ValueUInt') ?? '0',
    valueDouble: plainDecimal(cell.text('ValueDouble') ?? '') ?? '0',
  };
  return Object.values(values).some((value) => /[1-9]/.test(String(value))) ? [values] : [];
}

/** Server time in seconds, in ms where the field's name says `Msc`, in FILETIME where it can be nothing else; 0 = never. */
function readInstant(fields: Fields, { sources }: Read, clock: BrokerClock): number | undefined {
  let found: number | undefined;
  for (const source of sources) {
    // All are read, so that none is left over.
    const text = fields.text(source)?.trim();
    if (found !== undefined || text === undefined) continue;
    const fileTime = fileTimeToMs(text);
    const value = wireInteger(text);
    const serverMs = fileTime ?? (value === undefined ? undefined : /Msc$/i.test(source) ? value : value * 1000);
    if (serverMs !== undefined && serverMs > 0 && serverMs < LAST_MS) found = clock.toUtcMs(serverMs);
  }
  return found;
}
