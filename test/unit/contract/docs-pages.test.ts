import { describe, expect, it } from 'vitest';
import { search, type Entry } from '../../../container/contract/docs/browser/search.ts';
import { GUIDES } from '../../../container/contract/docs/built.ts';
import { publicDocument } from '../../../container/contract/documents.ts';

/** Guides and reference as a browser gets them. */

const pathOf = (slug: string): string => `/docs/${slug}`;
const paths = ['/docs', ...GUIDES.map(({ slug }) => pathOf(slug))];
const textOf = (path: string): string => publicDocument(path)?.text ?? '';
const idsOf = (html: string): Set<string> => new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id));
const index = JSON.parse(textOf('/docs/search.json')) as readonly Entry[];

const SUBJECTS = [
  'first-request',
  'errors',
  'unknown-outcomes',
  'streams',
  'trader-sessions',
  'back-office',
  'risk-desk',
  'deploying',
  'configuration',
  'mt5-commands',
  'monitoring',
  'audit-and-webhooks',
];

it('has a guide for each subject, and all of them in the contents of every page', () => {
  expect(GUIDES.map(({ slug }) => slug)).toEqual(expect.arrayContaining(SUBJECTS));
  for (const path of paths) for (const { slug } of GUIDES) expect(textOf(path)).toContain(`href="${pathOf(slug)}"`);
});

/** Whether a bridge has what a link of its pages names. */
function leadsSomewhere(from: string, link: string): boolean {
  const { pathname, hash, origin } = new URL(link, `https://bridge.test${from}`);
  if (origin !== 'https://bridge.test') return true;
  const target = publicDocument(pathname);
  return target !== undefined && (hash === '' || idsOf(target.text).has(decodeURIComponent(hash.slice(1))));
}

it.each(paths)('%s: every link leads somewhere, every table is there, and nothing is in line', (path) => {
  const html = textOf(path);
  const links = [...html.matchAll(/ (?:href|src)="([^"]+)"/g)].map(([, link = '']) => link.replaceAll('&amp;', '&'));
  expect(links.filter((link) => !leadsSomewhere(path, link))).toEqual([]);
  expect(html).not.toMatch(/<!-- table|<script>|<style| style="| on\w+="/);
  expect(publicDocument(path)?.headers['content-security-policy']).toMatch(
    /^default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self';/,
  );
});

describe('search', () => {
  it.each([
    ['unknown', '/docs/unknown-outcomes'],
    ['place order', '/docs#placeOrder'],
    ['price_moved', '/docs/errors#error-price_moved'],
    ['POOL_MAX', '/docs/configuration'],
    ['user/get_batch', '/docs/mt5-commands'],
    ['net exposure', '/docs/risk-desk#net-exposure'],
    ['idempotency', '/docs/first-request#place-an-order'],
  ])('%s is found at %s', (query, url) => {
    const found = search(index, query).map(({ entry }) => entry.url);
    expect(found.slice(0, 5)).toContainEqual(expect.stringMatching(new RegExp(`^${url}`)));
  });

  it('finds nothing for words that nobody wrote, and leads only to what is there', () => {
    expect(search(index, 'xylophone')).toEqual([]);
    expect(index.filter(({ url }) => !leadsSomewhere('/docs', url))).toEqual([]);
  });
});
