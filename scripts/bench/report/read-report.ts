import { readFileSync } from 'node:fs';
import type { Report } from './model.ts';

/** @throws Error when the file is no report of this format */
export function readReport(file: string): Report {
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  if (report.format !== 1 || !Array.isArray(report.rows))
    throw new Error(`${file}: expected a report that npm run bench wrote`);
  return report;
}
