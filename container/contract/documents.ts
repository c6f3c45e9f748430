import { DOCS_SCRIPT, DOCS_STYLE, GUIDES } from './docs/built.ts';
import { guidePage } from './docs/guide-page.ts';
import {
  DOCS_CONTENT_SECURITY_POLICY,
  DOCS_PATH,
  DOCS_SCRIPT_PATH,
  DOCS_STYLE_PATH,
  guidePath,
  OPENAPI_PATH,
  SEARCH_INDEX_PATH,
} from './docs/layout.ts';
import { referencePage } from './docs/reference-page.ts';
import { searchIndex } from './docs/search-index.ts';
import { openApiDocument } from './openapi.ts';
import { ROUTES } from './routes.ts';

/** Documents that door and container answer alike, without a key and without waking anything. */
export interface PublicDocument {
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

const served = (contentType: string, text: string): PublicDocument => ({
  text,
  headers: {
    'content-type': contentType,
    // They change with a deployment only.
    'cache-control': 'public, max-age=300',
    'content-security-policy': DOCS_CONTENT_SECURITY_POLICY,
    'x-content-type-options': 'nosniff',
  },
});

let openapi: Readonly<Record<string, unknown>> | undefined;
const made = new Map<string, PublicDocument>();

const html = (text: string): PublicDocument => served('text/html; charset=utf-8', text);
const json = (value: unknown): PublicDocument => served('application/json; charset=utf-8', JSON.stringify(value));

/** Made at the first request: a tenth of a second, once. */
const makers: ReadonlyMap<string, () => PublicDocument> = new Map([
  [OPENAPI_PATH, () => json(documentOnce())],
  [DOCS_PATH, () => html(referencePage(documentOnce(), ROUTES))],
  ...GUIDES.map((guide) => [guidePath(guide.slug), () => html(guidePage(guide))] as const),
  [SEARCH_INDEX_PATH, () => json(searchIndex(ROUTES))],
  [DOCS_SCRIPT_PATH, () => served('text/javascript; charset=utf-8', DOCS_SCRIPT)],
  [DOCS_STYLE_PATH, () => served('text/css; charset=utf-8', DOCS_STYLE)],
]);

const documentOnce = (): Readonly<Record<string, unknown>> => (openapi ??= openApiDocument(ROUTES));

/** The document at a path; `undefined` = there is none. */
export function publicDocument(pathname: string): PublicDocument | undefined {
  const maker = makers.get(pathname);
  if (!maker) return undefined;
  const known = made.get(pathname) ?? maker();
  made.set(pathname, known);
  return known;
}
