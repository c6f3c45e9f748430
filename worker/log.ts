import { logLine } from '../container/contract/log-line.ts';
import type { LogFields, LogLevel } from '../container/contract/logger.ts';

const MAX_TEXT = 500;

/**
 * One JSON line per event, for Workers Logs: the same fields as the container's lines, by the same allow-list. Headers,
 * bodies and variables are never given to it, so that no key or password can be.
 */
export function logEvent(event: string, fields: LogFields, level: LogLevel = 'info'): void {
  const time = new Date().toISOString();
  // oxlint-disable-next-line no-console -- the only way to Workers Logs
  console.log(logLine({ time, level, event }, fields, (text) => text.slice(0, MAX_TEXT)));
}
