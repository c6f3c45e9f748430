import type { z } from 'zod';

/** Schemas of decimals carry this in their metadata (`schemas/values.ts`). */
export const DECIMAL_FORMAT = 'decimal';

type Convert = (value: unknown) => unknown;

const seen = new WeakMap<z.ZodType, Convert | null>();

/**
 * A function that writes the decimals of an answer as numbers, by the answer's schema; `null` where it has none. Compiled
 * once per schema.
 */
export function decimalsAsNumbers(schema: z.ZodType): Convert | null {
  const known = seen.get(schema);
  if (known !== undefined) return known;
  const convert = compile(schema);
  seen.set(schema, convert);
  return convert;
}

function compile(schema: z.ZodType): Convert | null {
  if (schema.meta()?.['format'] === DECIMAL_FORMAT)
    return (value) => (typeof value === 'string' ? Number(value) : value);
  const { type, shape, element, valueType, innerType } = (schema as z.ZodType & { _zod: { def: Definition } })._zod.def;
  if (type === 'object') return compileObject(shape ?? {});
  if (type === 'array') return each(element);
  if (type === 'record') return eachValue(valueType);
  // Nullable, optional, readonly.
  return innerType ? decimalsAsNumbers(innerType) : null;
}

interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly innerType?: z.ZodType;
}

function compileObject(shape: Readonly<Record<string, z.ZodType>>): Convert | null {
  const converts = Object.entries(shape).flatMap(([name, inner]) => {
    const convert = decimalsAsNumbers(inner);
    return convert ? [[name, convert] as const] : [];
  });
  if (converts.length === 0) return null;
  return (value) => {
    if (!isRecord(value)) return value;
    const copy: Record<string, unknown> = { ...value };
    for (const [name, convert] of converts) if (name in copy) copy[name] = convert(copy[name]);
    return copy;
  };
}

function each(element: z.ZodType | undefined): Convert | null {
  const convert = element ? decimalsAsNumbers(element) : null;
  return convert && ((value) => (Array.isArray(value) ? value.map((item) => convert(item)) : value));
}

function eachValue(valueType: z.ZodType | undefined): Convert | null {
  const convert = valueType ? decimalsAsNumbers(valueType) : null;
  return (
    convert &&
    ((value) =>
      isRecord(value)
        ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, convert(inner)]))
        : value)
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
