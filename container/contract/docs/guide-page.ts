import { GUIDES } from './built.ts';
import type { Guide } from './guide.ts';
import { escape } from './html.ts';
import { guidePath, layout } from './layout.ts';
import { TABLES } from './tables.ts';

const TABLE = /<!-- table: ([\w-]+) -->/g;

export function guidePage(guide: Guide): string {
  const at = GUIDES.indexOf(guide);
  const main = guide.html.replaceAll(TABLE, (_, name: string) => TABLES[name]?.() ?? '');
  const turn = (other: Guide | undefined, rel: string, arrow: string): string =>
    other
      ? `<a rel="${rel}" href="${guidePath(other.slug)}"><small>${arrow}</small>${escape(other.title)}</a>`
      : '<i></i>';
  const turns = turn(GUIDES[at - 1], 'prev', 'Before') + turn(GUIDES[at + 1], 'next', 'Next');
  return layout({
    path: guidePath(guide.slug),
    title: guide.title,
    parts: guide.parts.filter(({ id }) => id !== ''),
    main: `<article>${main}</article><div class="turns">${turns}</div>`,
  });
}
