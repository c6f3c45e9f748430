/** `node scripts/bundle.ts [outfile]`: the container program as one file, and the page that it serves, as the image has them. */
import path from 'node:path';
import { bundleConsole } from './local/bundle-console.ts';
import { bundleContainer } from './local/bundle-container.ts';

const outfile = path.resolve(process.argv[2] ?? 'dist/container/main.cjs');
await Promise.all([bundleContainer(outfile), bundleConsole()]);
console.log(outfile);
