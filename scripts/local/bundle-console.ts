import { build } from 'esbuild';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type CONSOLE_FILES, CONSOLE_HEADERS } from '../../container/contract/console.ts';

const root = path.resolve(import.meta.dirname, '../..');
const source = path.join(root, 'container/console');

/** Where `wrangler.jsonc` (assets) and `container/http/console.ts` look for it. */
export const CONSOLE_DIRECTORY = path.join(root, 'dist/console');

/** The page for people as static files, with the headers that the platform is to send with them. */
export async function bundleConsole(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: { console: path.join(source, 'main.ts'), 'console-style': path.join(source, 'console.css') },
    outdir: CONSOLE_DIRECTORY,
    write: false,
    bundle: true,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'warning',
  });
  const text = (name: string): string => outputFiles.find((file) => path.basename(file.path) === name)?.text ?? '';
  const files: Record<(typeof CONSOLE_FILES)[number] | '_headers', string> = {
    'index.html': await readFile(path.join(source, 'index.html'), 'utf8'),
    'console.svg': await readFile(path.join(source, 'console.svg'), 'utf8'),
    'console.js': text('console.js'),
    'console.css': text('console-style.css'),
    _headers: headersFile(),
  };
  await mkdir(CONSOLE_DIRECTORY, { recursive: true });
  for (const [name, content] of Object.entries(files)) await replace(path.join(CONSOLE_DIRECTORY, name), content);
}

/** Cloudflare's `_headers`: a path, and below it the headers of its answers. */
function headersFile(): string {
  const lines = Object.entries(CONSOLE_HEADERS).map(([name, value]) => `  ${name}: ${value}\n`);
  return `/*\n${lines.join('')}`;
}

/** Whoever reads the file meanwhile gets the old one or the new one, never a half. */
async function replace(file: string, content: string): Promise<void> {
  if ((await readFile(file, 'utf8').catch(() => undefined)) === content) return;
  const unfinished = `${file}.${process.pid}`;
  await writeFile(unfinished, content);
  await rename(unfinished, file);
}
