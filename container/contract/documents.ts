import {
  DOCS_CONTENT_SECURITY_POLICY,
  DOCS_PATH,
  DOCS_SCRIPT,
  DOCS_SCRIPT_PATH,
  docsPage,
  OPENAPI_PATH,
} from './docs-page.ts';
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

/** Made at the first request: a tenth of a second, once. */
const makers: Readonly<Record<string, () => PublicDocument>> = {
  [OPENAPI_PATH]: () => served('application/json; charset=utf-8', JSON.stringify(documentOnce())),
  [DOCS_PATH]: () => served('text/html; charset=utf-8', docsPage(documentOnce(), ROUTES)),
  [DOCS_SCRIPT_PATH]: () => served('text/javascript; charset=utf-8', DOCS_SCRIPT),
};

const documentOnce = (): Readonly<Record<string, unknown>> => (openapi ??= openApiDocument(ROUTES));

/** The document at a path; `undefined` = there is none. */
export function publicDocument(pathname: string): PublicDocument | undefined {
  const maker = Object.hasOwn(makers, pathname) ? makers[pathname] : undefined;
  if (!maker) return undefined;
  const known = made.get(pathname) ?? maker();
  made.set(pathname, known);
  return known;
}
