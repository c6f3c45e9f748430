import { BRIDGE_VERSION } from '../version.ts';
import { GUIDES } from './built.ts';
import { escape } from './html.ts';

/** The frame of every page: what it may load, and what stands beside it. */

export const DOCS_PATH = '/docs';
export const DOCS_SCRIPT_PATH = '/docs.js';
export const DOCS_STYLE_PATH = '/docs.css';
export const SEARCH_INDEX_PATH = '/docs/search.json';
export const OPENAPI_PATH = '/openapi.json';
export const guidePath = (slug: string): string => `${DOCS_PATH}/${slug}`;

/** Everything from the bridge itself: the pages work offline. */
export const DOCS_CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export interface Page {
  /** Where the page is. */
  readonly path: string;
  readonly title: string;
  /** Parts of this page: id and title. */
  readonly parts: readonly { readonly id: string; readonly title: string }[];
  /** HTML. */
  readonly main: string;
  /** HTML above the main part, for a page that has something to type. */
  readonly tools?: string;
}

export function layout({ path, title, parts, main, tools = '' }: Page): string {
  const partLinks = parts.map((part) => `<a class="part" href="#${part.id}">${escape(part.title)}</a>`).join('');
  const link = (href: string, text: string): string =>
    `<a href="${href}"${href === path ? ' aria-current="page"' : ''}>${escape(text)}</a>${href === path ? partLinks : ''}`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>${escape(title)} · MT5 Edge Bridge</title>
<link rel="stylesheet" href="${DOCS_STYLE_PATH}"></head><body>
<a class="skip" href="#main">To the text</a>
<nav aria-label="Documents"><div class="brand"><b>MT5 Edge Bridge</b> <small>${BRIDGE_VERSION}</small></div>
<div class="search" role="search"><input id="search" type="search" placeholder="Search (press /)" aria-label="Search guides and reference" autocomplete="off" spellcheck="false" disabled><ol id="found" hidden></ol></div>
<details class="menu" open><summary>Contents</summary>
<h2>Guides</h2>${GUIDES.map((guide) => link(guidePath(guide.slug), guide.title)).join('')}
<h2>Reference</h2>${link(DOCS_PATH, 'API')}<a href="${OPENAPI_PATH}">openapi.json</a></details></nav>
<main id="main">${tools}${main}</main>
<script src="${DOCS_SCRIPT_PATH}"></script></body></html>`;
}
