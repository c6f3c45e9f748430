import { ERRORS } from '../errors.ts';
import type { AnyRoute } from '../route.ts';
import { SETTINGS } from '../settings.ts';
import { GUIDES } from './built.ts';
import { commandRows } from './command-table.ts';
import { guidePath, DOCS_PATH } from './layout.ts';
import { errorAnchor } from './tables.ts';

/** What the page's search looks through. */
export interface SearchEntry {
  readonly url: string;
  /** Guide, route, error … */
  readonly kind: string;
  readonly title: string;
  readonly text: string;
}

const plain = (text: string): string => text.replaceAll('`', '');

export function searchIndex(routes: readonly AnyRoute[]): readonly SearchEntry[] {
  const guides = GUIDES.flatMap(({ slug, title, parts }) =>
    parts.map((part) => ({
      url: part.id === '' ? guidePath(slug) : `${guidePath(slug)}#${part.id}`,
      kind: 'guide',
      title: part.id === '' ? title : `${title}: ${part.title}`,
      text: part.text,
    })),
  );
  const operations = routes.map((route) => ({
    url: `${DOCS_PATH}#${route.id}`,
    kind: 'route',
    title: `${route.method} ${route.path}`,
    text: plain([route.id, route.summary, route.description ?? ''].join(' ')),
  }));
  const errors = Object.entries(ERRORS).map(([code, { status, title }]) => ({
    url: `${guidePath('errors')}#${errorAnchor(code)}`,
    kind: 'error',
    title: code,
    text: `${status} ${title}`,
  }));
  const settings = SETTINGS.map(({ name, meaning }) => ({
    url: guidePath('configuration'),
    kind: 'setting',
    title: name,
    text: plain(meaning),
  }));
  const commands = commandRows().map(({ command, routes: typed }) => ({
    url: guidePath('mt5-commands'),
    kind: 'MT5 command',
    title: command,
    text: typed.map(({ method, path }) => `${method} ${path}`).join(' '),
  }));
  return [...guides, ...operations, ...errors, ...settings, ...commands];
}
