import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { defineConfig } from 'vitest/config';
import { bundleConsole } from '../scripts/local/bundle-console.ts';
import { testKeysVariable } from './support/test-keys.ts';

// wrangler.jsonc and the container program name it.
await bundleConsole();

const root = path.resolve(import.meta.dirname, '..');

// What is said of settings that the tests give in another way is no news: of errors only.
process.env['WRANGLER_LOG'] ??= 'error';

/**
 * As many files at a time as there are cores: by default one core is left free, and of two that is half. What is polled for
 * is done by others, who may be slow: the second that Vitest gives them is short.
 */
const parallel = { maxWorkers: '100%', expect: { poll: { timeout: 30_000 } } } as const;
/**
 * Files share a process, and with it what they import and bundle: importing took half of the processor time of a file, and
 * Miniflare and wrangler alone are three seconds of it.
 */
const sharing = { ...parallel, isolate: false } as const;

/** One project per layer: unit and integration in Node, worker in workerd, e2e over real workerd and processes. */
export default defineConfig({
  root,
  test: {
    // The bridge's own log lines are asked for where a test is about them.
    onConsoleLog: (text) => !text.startsWith('{"time":'),
    projects: [
      { root, test: { ...sharing, name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 90_000 } },
      {
        root,
        test: {
          ...sharing,
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 90_000,
          hookTimeout: 90_000,
        },
      },
      {
        root,
        // Packages without the sources that their maps name are as they are.
        logLevel: 'error',
        plugins: [
          cloudflareTest({
            main: './test/worker/worker.ts',
            wrangler: { configPath: './wrangler.jsonc' },
            miniflare: {
              r2Buckets: ['AUDIT', 'ARCHIVE'],
              bindings: {
                BRIDGE_API_KEYS: testKeysVariable((key) => createHash('sha256').update(key).digest('hex')),
                MT5_SERVER: 'broker.invalid:443',
                MT5_LOGIN: '1000',
                MT5_PASSWORD: 'planted-password',
                // No line for every request.
                LOG_LEVEL: 'error',
              },
            },
          }),
        ],
        test: { ...parallel, name: 'worker', include: ['test/worker/**/*.test.ts'], testTimeout: 90_000 },
      },
      {
        root,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          ...sharing,
        },
      },
    ],
  },
});
