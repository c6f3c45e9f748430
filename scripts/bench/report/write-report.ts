import { writeFileSync } from 'node:fs';
import { asHtml } from './chart.ts';
import type { Report } from './model.ts';
import { asMarkdown, asText, machineLine, SATURATED_NOTE, tablesOf } from './tables.ts';

/** Writes `<base>.json` (raw samples), `.md` and `.html`; gives what the terminal shows. */
export function writeReport(report: Report, base: string): { table: string; written: string[] } {
  const tables = tablesOf(report);
  const skipped =
    report.skipped.length > 0 ? ['Not measured:', ...report.skipped.map((text) => `- ${text}`)].join('\n') : '';
  const markdown = [
    '# Benchmark report',
    machineLine(report),
    SATURATED_NOTE,
    ...tables.flatMap((table) => [`## ${table.title}`, asMarkdown(table)]),
    '## Systems',
    Object.entries(report.systems)
      .map(([name, title]) => `- \`${name}\`: ${title}`)
      .join('\n'),
    skipped,
  ];
  const written = [`${base}.json`, `${base}.md`, `${base}.html`];
  const contents = [JSON.stringify(report), `${markdown.join('\n\n').trim()}\n`, asHtml(report)];
  for (const [index, file] of written.entries()) writeFileSync(file, contents[index] ?? '');
  return { table: [machineLine(report), ...tables.map(asText), skipped].join('\n\n'), written };
}
