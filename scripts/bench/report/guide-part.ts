import { comparisonPlots, comparisonTables } from './comparison.ts';
import { putBetweenMarkers } from './generated-part.ts';
import type { Report } from './model.ts';
import { asMarkdown, machineLine, type Table } from './tables.ts';

/** Links where a cell is an address. */
const withLinks = (table: Table): Table => ({
  ...table,
  rows: table.rows.map((cells) => cells.map((cell) => (/^https:\S+$/.test(cell) ? `<${cell}>` : cell))),
});

const headingOf = (title: string): string => {
  const text = title.replace('Roads side by side: ', '');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
};

/** The guide with the tables of this report, and the plots that it shows, by file name. @throws Error without its markers */
export function putIntoGuide(
  guide: string,
  report: Report,
): { guide: string; plots: Readonly<Record<string, string>> } {
  const svgs = comparisonPlots(report);
  const parts = comparisonTables(report).flatMap((table) => {
    const { plot } = table;
    return [
      `### ${headingOf(table.title)}`,
      ...(plot !== undefined && svgs[plot] !== undefined ? [`![${headingOf(table.title)}](plots/${plot}.svg)`] : []),
      asMarkdown(withLinks(table)),
    ];
  });
  return {
    guide: putBetweenMarkers('the guide', guide, [`${machineLine(report)}.`, ...parts].join('\n\n')),
    plots: Object.fromEntries(Object.entries(svgs).map(([name, svg]) => [`${name}.svg`, svg])),
  };
}
