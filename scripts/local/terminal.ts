/** What programs of this folder say to a person at a terminal; where nobody watches, only what is done is written. */

const isWatched = process.stderr.isTTY;
const CLEAR_LINE = '\r\u001b[2K';
const WIDTH = 12;

const say = (text: string): void => void process.stderr.write(text);
const secondsSince = (startedAtMs: number): string => `${((Date.now() - startedAtMs) / 1000).toFixed(1)} s`;

/** One step of a start, with how long it took. `detail` says what came of it. */
export async function step<T>(name: string, work: Promise<T>, detail: (result: T) => string = () => ''): Promise<T> {
  const startedAtMs = Date.now();
  const progress = startProgress(() => `  ${name.padEnd(WIDTH)} ${secondsSince(startedAtMs)} …`);
  try {
    const result = await work;
    progress.stop();
    say(`  ${name.padEnd(WIDTH)} ${secondsSince(startedAtMs).padStart(6)}   ${detail(result)}\n`);
    return result;
  } finally {
    progress.stop();
  }
}

/** A line that tells how far a long command is, while somebody watches. */
export function startProgress(text: () => string): { stop(): void } {
  if (!isWatched) return { stop: () => undefined };
  const draw = (): void => say(CLEAR_LINE + text().slice(0, (process.stderr.columns || 80) - 1));
  draw();
  const timer = setInterval(draw, 200).unref();
  let stopped = false;
  return {
    stop: () => {
      if (stopped) return;
      stopped = true;
      clearInterval(timer);
      say(CLEAR_LINE);
    },
  };
}

interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly reason?: unknown;
  readonly error?: { readonly message?: unknown };
}

/**
 * A line of the log for a person: warnings and errors in words, nothing of the rest. What is not of the log (a crash before
 * it was there) is shown as it came.
 */
export function inWords(line: string): string | undefined {
  let parsed: LogLine;
  try {
    parsed = JSON.parse(line) as LogLine;
  } catch {
    return line;
  }
  const { level, event, reason, error } = parsed;
  if (level === 'debug' || level === 'info') return undefined;
  const why = reason ?? error?.message;
  return `${level}: ${event}${typeof why === 'string' ? `: ${why}` : ''}`;
}
