/** `node scripts/bundle.ts [outfile]`: the container program as one file, as the image runs it. */
import path from 'node:path';
import { bundleContainer } from './local/bundle-container.ts';

const outfile = path.resolve(process.argv[2] ?? 'dist/container/main.cjs');
await bundleContainer(outfile);
console.log(outfile);
