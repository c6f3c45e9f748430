import { LOG_FIELDS, type LogFields, type LogLevel } from './logger.ts';

const WRITTEN: ReadonlySet<string> = new Set(LOG_FIELDS);

/** One event as a line of JSON, the same in Worker and container: `{"time","level","event",…}` and what is on the list. */
export function logLine(
  { time, level, event }: { readonly time: string; readonly level: LogLevel; readonly event: string },
  fields: LogFields,
  textOf: (text: string) => string,
): string {
  let json = `{"time":"${time}","level":"${level}","event":${JSON.stringify(event)}`;
  // No entries are made: under load there are tens of thousands of lines a second.
  for (const name of Object.keys(fields) as (keyof LogFields)[]) {
    const field = fields[name];
    if (field !== undefined && WRITTEN.has(name)) json += `,"${name}":${JSON.stringify(written(field, textOf))}`;
  }
  return `${json}}`;
}

function written(field: unknown, textOf: (text: string) => string): unknown {
  if (typeof field === 'string') return textOf(field);
  if (field instanceof Error) return errorText(field, textOf);
  if (Array.isArray(field)) return field.map((item) => written(item, textOf));
  return field;
}

/** Message, stack and causes; an error's own further properties are never written. */
function errorText(error: Error, clean: (text: string) => string): Record<string, unknown> {
  return {
    name: error.name,
    message: clean(error.message),
    stack: clean(error.stack ?? ''),
    ...(error.cause instanceof Error ? { cause: `${error.cause.name}: ${clean(error.cause.message)}` } : {}),
  };
}
