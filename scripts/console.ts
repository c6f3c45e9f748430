/** `node scripts/console.ts`: the page for people, as static files in `dist/console`. */
import { bundleConsole } from './local/bundle-console.ts';

await bundleConsole();
