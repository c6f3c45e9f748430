/**
 * `npm run client:pack`: the typed client as a package without dependencies, for `npm install <tarball>`. The last line it
 * prints is the tarball's path. The project itself stays private: only what the client needs is inside.
 *
 *   client.js        for browsers, Workers, Deno, Bun        client.node.js   the same with a `WebSocket` for Node 20
 *   client.d.ts      → types/, written by the compiler
 */
import { build, type Plugin } from 'esbuild';
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { TOPIC_TABLE } from '../../container/contract/frames.ts';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
/** Not under another name: npm takes the folder as the package. `--out DIR` = there. */
const outFlag = process.argv.indexOf('--out');
const out = path.resolve(outFlag < 0 ? path.join(root, 'dist/client') : (process.argv[outFlag + 1] ?? ''));
const folder = path.join(out, 'package');

/** What is bundled, with the licences that come with it. */
const BUNDLED = ['openapi-fetch', 'openapi-typescript-helpers', 'ws'];

async function bundle(isForNode: boolean): Promise<void> {
  await build({
    entryPoints: [path.join(root, 'container/client/index.ts')],
    outfile: path.join(folder, isForNode ? 'client.node.js' : 'client.js'),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    platform: isForNode ? 'node' : 'neutral',
    mainFields: ['module', 'main'],
    // ws tries these two and goes without them.
    external: ['bufferutil', 'utf-8-validate'],
    ...(isForNode ? { plugins: [nodeWebSocket], banner: { js: REQUIRE } } : {}),
  });
}

/** For what ws, a CommonJS package, requires of Node. */
const REQUIRE = `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);`;

const nodeWebSocket: Plugin = {
  name: 'node-web-socket',
  setup: (esbuild) =>
    esbuild.onResolve({ filter: /\/web-socket\.ts$/ }, () => ({
      path: path.join(import.meta.dirname, 'node-web-socket.ts'),
    })),
};

/** Declarations of the client and of what its types come from. */
async function writeTypes(): Promise<void> {
  const types = path.join(folder, 'types');
  const tsc = path.join(root, 'node_modules/@typescript/native/bin/tsc');
  const options = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--outDir', types];
  const project = ['-p', path.join(root, 'container/client'), '--rootDir', path.join(root, 'container')];
  await run(process.execPath, [tsc, ...project, ...options]);
  // Of the contract the client's types need the topics and the rows of one alone, and none of its validators.
  const equity = await readFile(path.join(types, 'contract/equity.d.ts'), 'utf8');
  await rm(path.join(types, 'contract'), { recursive: true, force: true });
  await mkdir(path.join(types, 'contract'));
  await writeFile(path.join(types, 'contract/equity.d.ts'), equity);
  await writeFile(
    path.join(types, 'contract/frames.d.ts'),
    `export declare const TOPIC_TABLE: ${JSON.stringify(TOPIC_TABLE)};\nexport type DataTopic = keyof typeof TOPIC_TABLE;\n`,
  );
  for (const name of BUNDLED.slice(0, 2))
    await cp(path.join(root, 'node_modules', name, 'dist/index.d.mts'), path.join(types, `client/${name}.d.ts`));
  for (const name of [
    'index',
    'streams',
    'shared-socket',
    'web-socket',
    'wait-for-operation',
    'openapi-fetch',
    'schema',
  ])
    await rewrite(path.join(types, `client/${name}.d.ts`), inPackage);
  await writeFile(path.join(folder, 'client.d.ts'), "export * from './types/client/index.js';\n");
}

/** Imports as they are inside the package. */
const inPackage = (source: string): string =>
  source
    .replaceAll(/(['"])(\.[^'"\n]+)\.ts\1/g, "'$2.js'")
    .replaceAll(/(['"])(openapi-fetch|openapi-typescript-helpers)\1/g, "'./$2.js'");

async function rewrite(file: string, change: (source: string) => string): Promise<void> {
  await writeFile(file, change(await readFile(file, 'utf8')));
}

async function writeManifest(): Promise<void> {
  const text = await readFile(path.join(root, 'package.json'), 'utf8');
  const { name, version, license } = JSON.parse(text) as Record<'name' | 'version' | 'license', string>;
  const manifest = {
    name,
    version,
    description: 'The typed client of MT5 Edge Bridge: REST and streams.',
    license,
    type: 'module',
    exports: {
      './client': {
        types: './client.d.ts',
        workerd: './client.js',
        browser: './client.js',
        node: './client.node.js',
        default: './client.js',
      },
      './package.json': './package.json',
    },
    sideEffects: false,
    engines: { node: '>=20.3' },
  };
  await writeFile(path.join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

async function writeTexts(): Promise<void> {
  await cp(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'));
  const licences = BUNDLED.map(async (name) => {
    const text = await readFile(path.join(root, 'node_modules', name, 'LICENSE'), 'utf8');
    return `# ${name}\n\n${text}`;
  });
  await writeFile(path.join(folder, 'THIRD-PARTY-LICENSES.md'), (await Promise.all(licences)).join('\n'));
  await cp(path.join(root, 'container/client/README.md'), path.join(folder, 'README.md'));
}

await rm(folder, { recursive: true, force: true });
await mkdir(path.join(folder, 'types'), { recursive: true });
await Promise.all([bundle(false), bundle(true), writeTypes(), writeManifest(), writeTexts()]);
const { stdout } = await run('npm', ['pack', folder, '--pack-destination', out, '--json', '--ignore-scripts'], {
  cwd: out,
});
const [packed] = JSON.parse(stdout) as [{ filename: string }];
console.log(path.join(out, packed.filename));
