/** Records that come in as JSON bodies: flat objects of scalars, names as documented. */
import type { WireRecord, WireValue } from '../broker/symbols.ts';
import type { CommandRequest } from '../command.ts';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Scalars become text as the books keep them; lists and objects inside go along. */
function wireValue(value: unknown): WireValue {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(wireValue);
  return isObject(value) ? (wireRecord(value) ?? {}) : '';
}

/** A body object with its values as text; undefined for what is no object. */
export function wireRecord(body: unknown): WireRecord | undefined {
  if (!isObject(body)) return undefined;
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, wireValue(value)]));
}

/** A record of scalars only: a nested wrapper is refused, as the server refuses it. */
export function flatRecord(
  body: unknown,
  allowed: readonly string[] = ['ApiData'],
): Record<string, string> | undefined {
  if (!isObject(body)) return undefined;
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(body)) {
    if (allowed.includes(name)) continue;
    if (typeof value === 'string') flat[name] = value;
    else if (typeof value === 'number' || typeof value === 'boolean')
      flat[name] = typeof value === 'boolean' ? (value ? '1' : '0') : String(value);
    else return undefined;
  }
  return flat;
}

/** One record or a list of them. */
export function recordsOf(body: unknown): WireRecord[] | undefined {
  const list: readonly unknown[] = Array.isArray(body) ? body : [body];
  const records = list.map(wireRecord);
  const present = records.filter((record) => record !== undefined);
  return present.length === 0 || present.length < records.length ? undefined : present;
}

/** Names in the query (`group=a,b`) or as a list in the body. */
export function namesOf(request: CommandRequest, parameter: string): string[] | undefined {
  if (Array.isArray(request.body)) {
    const names = (request.body as readonly unknown[]).filter((name) => typeof name === 'string');
    return names.length === 0 || names.length < request.body.length ? undefined : names;
  }
  const text = request.parameters.text(parameter);
  if (text === undefined || text === '') return undefined;
  return text.split(',').map((name) => name.trim());
}
