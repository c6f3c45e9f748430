import express, { type RequestHandler } from 'express';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { CONSOLE_FILES, CONSOLE_HEADERS } from '../contract/console.ts';

export interface ConsolePage {
  /** `/` and what the page there loads; none where it was not made. */
  readonly paths: ReadonlySet<string>;
  readonly serve: RequestHandler;
}

/** The page for people, from the directory where `scripts/console.ts` put it. Behind the Worker the platform serves it. */
export function consolePage(directory: string): ConsolePage {
  const isMade = existsSync(path.join(directory, 'index.html'));
  const files = express.static(directory, {
    cacheControl: false,
    redirect: false,
    setHeaders: (response) => {
      for (const [name, value] of Object.entries(CONSOLE_HEADERS)) response.setHeader(name, value);
    },
  });
  const paths = new Set(isMade ? ['/', ...CONSOLE_FILES.map((file) => `/${file}`)] : []);
  return {
    paths,
    serve: (request, response, next) => (paths.has(request.path) ? files(request, response, next) : next()),
  };
}
