import { z } from 'zod';
import type { EnumTable, FlagTable } from './enums.ts';
import { decimal, extra, instantMsOut, instantOut, loginOut, ticketOut } from './values.ts';

/**
 * How the objects of the contract are made: each field is declared once, with its schema and with the MT5 fields that
 * it is read from. The schema, the types, the documents and the decoder (`service/decode.ts`) all follow from that.
 */
export type ReadKind =
  | 'text'
  | 'decimal'
  | 'integer'
  | 'login'
  | 'ticket'
  | 'flag'
  | 'lots'
  | 'instant'
  | 'instantMs'
  | 'enum'
  | 'flags'
  | 'apiData'
  | 'orderTypeRates'
  | 'objects'
  | 'clientReference'
  | 'raw';

export interface Read {
  readonly kind: ReadKind;
  /** MT5 names, the first that is there counts. For `lots`: `[Volume, VolumeExt]`; for instants a `…Msc` one wins. */
  readonly sources: readonly string[];
  /** Without it the object cannot be told apart: its absence is the broker's fault (502). Others are null. */
  readonly required: boolean;
  readonly names?: EnumTable | FlagTable;
  /** Of `objects`: what each is. */
  readonly definition?: AnyObjectDefinition;
}

export interface Entry<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema;
  readonly read: Read;
}

export type Entries = Readonly<Record<string, Entry>>;

type SchemaOf<E extends Entries> = z.ZodObject<
  { -readonly [Name in keyof E]: E[Name]['schema'] } & { extra: typeof extra }
>;

export interface ObjectDefinition<E extends Entries> {
  readonly title: string;
  readonly entries: E;
  /** MT5 fields that never leave the bridge: secrets. */
  readonly secrets: readonly string[];
  readonly schema: SchemaOf<E>;
}

/** What any definition is to the decoder. */
export interface AnyObjectDefinition {
  readonly title: string;
  readonly entries: Entries;
  readonly secrets: readonly string[];
  readonly schema: z.ZodType;
}

export type ObjectOf<Definition extends AnyObjectDefinition> = z.output<Definition['schema']>;

export function defineObject<E extends Entries>(
  title: string,
  entries: E,
  secrets: readonly string[] = [],
): ObjectDefinition<E> {
  const shape = Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, entry.schema]));
  return {
    title,
    entries,
    secrets,
    schema: z.object({ ...shape, extra }).meta({ id: title }) as unknown as SchemaOf<E>,
  };
}

const says = (sources: readonly string[]): string => `MT5 ${sources.map((source) => `\`${source}\``).join(', ')}.`;

const optional = <S extends z.ZodType>(
  schema: S,
  kind: ReadKind,
  sources: readonly string[],
): Entry<z.ZodNullable<S>> => ({
  schema: schema.nullable().meta({ description: says(sources) }),
  read: { kind, sources, required: false },
});
const needed = <S extends z.ZodType>(schema: S, kind: ReadKind, sources: readonly string[]): Entry<S> => ({
  schema: schema.meta({ ...schema.meta(), description: says(sources) }),
  read: { kind, sources, required: true },
});

type Optional<S extends z.ZodType> = Entry<z.ZodNullable<S>>;

export const text = (...sources: string[]): Optional<z.ZodString> => optional(z.string(), 'text', sources);
export const name = (...sources: string[]): Entry<z.ZodString> => needed(z.string(), 'text', sources);
export const amount = (...sources: string[]): Optional<typeof decimal> => optional(decimal, 'decimal', sources);
export const integer = (...sources: string[]): Optional<z.ZodInt> => optional(z.int(), 'integer', sources);
export const flag = (...sources: string[]): Optional<z.ZodBoolean> => optional(z.boolean(), 'flag', sources);
export const login = (...sources: string[]): Entry<typeof loginOut> => needed(loginOut, 'login', sources);
export const ticket = (...sources: string[]): Entry<typeof ticketOut> => needed(ticketOut, 'ticket', sources);
/** A ticket that may point nowhere: 0 on the wire, null here. */
export const reference = (...sources: string[]): Optional<typeof ticketOut> => optional(ticketOut, 'ticket', sources);
export const lots = (volume: string): Optional<typeof decimal> => optional(decimal, 'lots', [volume, `${volume}Ext`]);
const apiCell = z.object({
  appId: z.int(),
  id: z.int(),
  valueInt: z.string(),
  valueUint: z.string(),
  valueDouble: decimal,
});
/** The cells of server plug-ins that hold something; of the sixteen most are empty. */
export const apiData = (): Optional<z.ZodArray<typeof apiCell>> => optional(z.array(apiCell), 'apiData', ['ApiData']);
/** Order types that have a margin rate of their own: our name and MT5's. */
export const RATED_ORDER_TYPES = {
  buy: 'Buy',
  sell: 'Sell',
  buyLimit: 'BuyLimit',
  sellLimit: 'SellLimit',
  buyStop: 'BuyStop',
  sellStop: 'SellStop',
  buyStopLimit: 'BuyStopLimit',
  sellStopLimit: 'SellStopLimit',
} as const;
const rate = decimal.nullable();
const orderTypeRates = z.object(
  Object.fromEntries(Object.keys(RATED_ORDER_TYPES).map((type) => [type, rate])) as {
    [Type in keyof typeof RATED_ORDER_TYPES]: typeof rate;
  },
);
/**
 * A rate for each order type: eight fields that begin with `prefix`, as servers send them, or one object or list under
 * `nested`, as their libraries have them. `null` of a type: the server names none (in a group's symbol: its default).
 */
export const rates = (prefix: string, nested: string): Optional<typeof orderTypeRates> =>
  optional(orderTypeRates, 'orderTypeRates', [
    nested,
    ...Object.values(RATED_ORDER_TYPES).map((type) => `${prefix}${type}`),
  ]);
/** A list of objects inside the object; those that name no login are of its login. */
export function objects<Definition extends AnyObjectDefinition>(
  definition: Definition,
  ...sources: string[]
): Optional<z.ZodArray<Definition['schema']>> {
  const entry = optional(z.array(definition.schema as Definition['schema']), 'objects', sources);
  return { ...entry, read: { ...entry.read, definition } };
}
/** The caller's own id, out of the comment that the bridge wrote. */
export const clientReference = (): Optional<z.ZodString> => ({
  schema: z.string().nullable().meta({
    description:
      'The `clientReference` of the write that it came of, read from MT5 `Comment`; `null` = none was named.',
  }),
  read: { kind: 'clientReference', sources: ['Comment'], required: false },
});
export const raw = (...sources: string[]): Optional<z.ZodUnknown> => optional(z.unknown(), 'raw', sources);

/** `openAt` and `openAtMs` from server time in seconds or, finer, milliseconds. */
export function instant<Name extends string>(
  field: Name,
  ...sources: string[]
): { readonly [Key in `${Name}At`]: Optional<typeof instantOut> } & {
  readonly [Key in `${Name}AtMs`]: Optional<typeof instantMsOut>;
} {
  return {
    [`${field}At`]: optional(instantOut, 'instant', sources),
    [`${field}AtMs`]: optional(instantMsOut, 'instantMs', sources),
  } as ReturnType<typeof instant<Name>>;
}

type NamesIn<Table extends EnumTable> = { readonly [Value in Extract<Table[keyof Table], string>]: Value };

/** A name beside the integer: `state` and `stateCode`. A value without a name is carried: name null, integer as sent. */
export function named<Name extends string, Table extends EnumTable>(
  field: Name,
  table: Table,
  ...sources: string[]
): { readonly [Key in Name]: Optional<z.ZodEnum<NamesIn<Table>>> } & {
  readonly [Key in `${Name}Code`]: Optional<z.ZodInt>;
} {
  return {
    ...nameOnly(field, table, ...sources),
    [`${field}Code`]: optional(z.int(), 'integer', sources),
  } as unknown as ReturnType<typeof named<Name, Table>>;
}

/** A second reading of an integer that has its `…Code` elsewhere. */
export function nameOnly<Name extends string, Table extends EnumTable>(
  field: Name,
  table: Table,
  ...sources: string[]
): { readonly [Key in Name]: Optional<z.ZodEnum<NamesIn<Table>>> } {
  const names = [...new Set(Object.values(table))] as [string, ...string[]];
  const entry = optional(z.enum(names), 'enum', sources);
  return { [field]: { ...entry, read: { ...entry.read, names: table } } } as unknown as ReturnType<
    typeof nameOnly<Name, Table>
  >;
}

/** Names of the bits that are set, beside the integer: `fillings` and `fillingsCode`. */
export function flagNames<Name extends string>(
  field: Name,
  table: FlagTable,
  ...sources: string[]
): { readonly [Key in Name]: Optional<z.ZodArray<z.ZodString>> } & {
  readonly [Key in `${Name}Code`]: Optional<z.ZodInt>;
} {
  const entry = optional(z.array(z.string()), 'flags', sources);
  return {
    [field]: { ...entry, read: { ...entry.read, names: table } },
    [`${field}Code`]: optional(z.int(), 'integer', sources),
  } as unknown as ReturnType<typeof flagNames<Name>>;
}
