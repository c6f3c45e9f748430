import { writeSync } from 'node:fs';
import { LOG_FIELDS, LOG_LEVELS, type LogFields, type Logger, type LogLevel } from './contract/logger.ts';

const MAX_TEXT = 2_000;

export interface LogOptions {
  readonly level: LogLevel;
  /** Values that may never be written, whatever field they are in. */
  readonly secrets: readonly string[];
  readonly write?: (line: string) => void;
  readonly now?: () => number;
}

/** JSON lines on standard output: `{"time","level","event",…}`. */
export function createLog({ level, secrets, write = toStdout, now = Date.now }: LogOptions): Logger {
  const hidden = secrets.filter((secret) => secret.length >= 4);
  const clean = (text: string): string =>
    hidden.reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text).slice(0, MAX_TEXT);
  const value = (field: unknown): unknown => {
    if (typeof field === 'string') return clean(field);
    if (field instanceof Error) return errorText(field, clean);
    if (Array.isArray(field)) return field.map(value);
    return field;
  };
  const line = (at: LogLevel, event: string, fields: LogFields): string => {
    const entry: Record<string, unknown> = { time: new Date(now()).toISOString(), level: at, event };
    for (const name of LOG_FIELDS) if (fields[name] !== undefined) entry[name] = value(fields[name]);
    return JSON.stringify(entry);
  };
  const threshold = LOG_LEVELS.indexOf(level);
  const at = (own: LogLevel): Logger[LogLevel] =>
    LOG_LEVELS.indexOf(own) < threshold ? () => undefined : (event, fields = {}) => write(line(own, event, fields));
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** Between two writes under load. A write costs more than making its lines, and wakes whoever reads. */
const WRITE_EVERY_MS = 10;

let pending = '';
/** A flush is coming. */
let flushing = false;
let exitHooked = false;

/** The first line after a pause is written at once, more lines together. */
function toStdout(line: string): void {
  pending += `${line}\n`;
  if (!flushing) setImmediate(flush);
  flushing = true;
  if (exitHooked) return;
  exitHooked = true;
  process.once('exit', () => pending !== '' && writeSync(1, pending));
}

function flush(): void {
  const text = pending;
  pending = '';
  flushing = text !== '';
  if (text === '') return;
  process.stdout.write(text);
  setTimeout(flush, WRITE_EVERY_MS).unref();
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
