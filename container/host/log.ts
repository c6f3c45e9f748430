import { writeSync } from 'node:fs';
import { LOG_FIELDS, LOG_LEVELS, type LogFields, type Logger, type LogLevel } from '../contract/logger.ts';

const MAX_TEXT = 2_000;
const WRITTEN: ReadonlySet<string> = new Set(LOG_FIELDS);

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
  const plain = (text: string): string => (text.length > MAX_TEXT ? clean(text) : text);
  const hiddenInJson = hidden.map((secret) => JSON.stringify(secret).slice(1, -1));
  const timeText = timeTexts();
  const line = (at: LogLevel, event: string, fields: LogFields): string => {
    const head = `{"time":"${timeText(now())}","level":"${at}","event":${JSON.stringify(event)}`;
    const quick = jsonLine(head, fields, plain);
    // Looked for once in the whole line; where one is found, the line is made again with each text cleaned.
    for (const secret of hiddenInJson) if (quick.includes(secret)) return jsonLine(head, fields, clean);
    return quick;
  };
  const threshold = LOG_LEVELS.indexOf(level);
  const at = (own: LogLevel): Logger[LogLevel] =>
    LOG_LEVELS.indexOf(own) < threshold ? () => undefined : (event, fields = {}) => write(line(own, event, fields));
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function jsonLine(head: string, fields: LogFields, textOf: (text: string) => string): string {
  let json = head;
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

/** RFC 3339, made once a millisecond. */
function timeTexts(): (ms: number) => string {
  let lastMs = Number.NaN;
  let text = '';
  return (ms) => {
    if (ms !== lastMs) text = new Date((lastMs = ms)).toISOString();
    return text;
  };
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
