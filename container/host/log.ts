import { writeSync } from 'node:fs';
import { logLine } from '../contract/log-line.ts';
import { isLogged, type LogFields, type Logger, type LogLevel } from '../contract/logger.ts';

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
  const plain = (text: string): string => (text.length > MAX_TEXT ? clean(text) : text);
  const hiddenInJson = hidden.map((secret) => JSON.stringify(secret).slice(1, -1));
  const timeText = timeTexts();
  const line = (level: LogLevel, event: string, fields: LogFields): string => {
    const head = { time: timeText(now()), level, event };
    const quick = logLine(head, fields, plain);
    // Looked for once in the whole line; where one is found, the line is made again with each text cleaned.
    for (const secret of hiddenInJson) if (quick.includes(secret)) return logLine(head, fields, clean);
    return quick;
  };
  const at = (own: LogLevel): Logger[LogLevel] =>
    isLogged(level, own) ? (event, fields = {}) => write(line(own, event, fields)) : () => undefined;
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
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
