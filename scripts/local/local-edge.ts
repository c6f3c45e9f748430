import { build } from 'esbuild';
import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from 'miniflare';
import path from 'node:path';
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from 'wrangler';
import { childrenNamed, endWithUs } from './end-with-parent.ts';
import { bundleConsole } from './bundle-console.ts';
import { type Engine, type EngineOptions, startEngine } from './engine.ts';

const root = path.resolve(import.meta.dirname, '../..');

export interface LocalEdgeOptions extends EngineOptions {
  /** 0 = any free port. */
  readonly port: number;
  /** Variables and secrets of the Worker, over those of wrangler.jsonc. `.dev.vars` is not read. */
  readonly vars: Readonly<Record<string, string>>;
  /** The Worker's entry file; that of wrangler.jsonc if absent. */
  readonly main?: string;
  /** As if wrangler.jsonc declared no `containers`. */
  readonly withoutContainers?: boolean;
  /** The page for people at `/`. Cloudflare answers it by itself; here each request passes three Workers of Miniflare's for it. */
  readonly page?: boolean;
  /** What the Worker itself logs. */
  readonly onWorkerLog?: (line: string) => void;
}

export interface LocalEdge {
  readonly url: string;
  readonly engine: Engine;
  /** Fires the cron trigger. */
  scheduled(): Promise<void>;
  close(): Promise<void>;
}

/**
 * The Worker in real workerd, as wrangler.jsonc describes it, with its containers run by the process engine.
 *
 * Miniflare is driven directly with the options that wrangler derives from wrangler.jsonc: the same workerd as
 * `wrangler dev` without its two proxy Workers (about 1 ms a request instead of 5–10, cloudflare.md §2 and §6).
 * Durable Object storage is temporary. The cron trigger is at `/cdn-cgi/local/scheduled`.
 */
export async function startLocalEdge(options: LocalEdgeOptions): Promise<LocalEdge> {
  process.env['WRANGLER_DOCKER_BIN'] = path.join(import.meta.dirname, 'docker-stub.sh');
  if (options.page) await bundleConsole();
  // Secrets come from the caller alone: none is looked for in .dev.vars or the environment.
  const declared = unstable_readConfig({ config: path.join(root, 'wrangler.jsonc') });
  const containers = options.withoutContainers ? [] : declared.containers;
  const assets = options.page ? declared.assets : undefined;
  const config = { ...declared, containers, assets, secrets: undefined };
  const { workerOptions, main } = unstable_getMiniflareWorkerOptions(config, undefined, {
    overrides: { enableContainers: true },
    containerBuildId: 'local',
  });
  const { modulesRules: _, bindings: __, ...rest } = workerOptions;
  const [script, engine] = await Promise.all([bundle(options.main ?? main ?? ''), startEngine(options)]);
  const restoreSignals = keepSignals();
  const miniflare = new Miniflare(
    // wrangler derives options in Miniflare's fourth shape and converts them the same way.
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: options.port,
      log: new Log(LogLevel.NONE),
      // `request.cf` is not asked from the network.
      cf: false,
      containerEngine: { localDocker: { socketPath: `unix://${engine.socketPath}` } },
      unsafeTriggerHandlers: true,
      handleStructuredLogs: ({ message }) => options.onWorkerLog?.(message),
      workers: [
        {
          ...rest,
          name: 'mt5-edge-bridge',
          // As temporary as the rest.
          r2Buckets: { AUDIT: 'audit', ARCHIVE: 'archive' },
          bindings: { ...(config.vars as Record<string, string>), ...options.vars },
          modules: [{ type: 'ESModule', path: 'worker.js', contents: script }],
        },
      ],
    }),
  );
  restoreSignals();
  const close = async (): Promise<void> => {
    await miniflare.dispose();
    await engine.close();
  };
  try {
    const url = (await miniflare.ready).origin;
    const workerdEnded = endWithUs(childrenNamed('workerd'));
    return {
      url,
      engine,
      scheduled: async () => {
        const answer = await fetch(`${url}/cdn-cgi/local/scheduled`);
        if (!answer.ok) throw new Error(`scheduled: ${answer.status} ${await answer.text()}`);
        await answer.body?.cancel();
      },
      close: () => close().finally(workerdEnded),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** By entry: who starts several in one process runs the same code in each. */
const bundles = new Map<string, Promise<string>>();

function bundle(entry: string): Promise<string> {
  const known = bundles.get(entry) ?? makeBundle(entry);
  bundles.set(entry, known);
  return known;
}

/**
 * One module, as `wrangler deploy` would make it (`npm run check` makes that one), without a source map: with it the module
 * is 6.2 MB and not 1.8, and Miniflare copies what it has of its configuration for every 4 kB that it adds (`allocate` of its
 * single-segment arena; 2 s of processor time).
 */
async function makeBundle(entry: string): Promise<string> {
  const result = await build({
    entryPoints: [path.resolve(root, entry)],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*', 'node:*'],
    keepNames: true,
    logLevel: 'silent',
  });
  return result.outputFiles[0]?.text ?? '';
}

/**
 * Miniflare ends the process inside its own signal handlers, before a container could drain or be killed. Whoever starts
 * it here closes it; its handler of `exit` stays.
 */
function keepSignals(): () => void {
  const before = SIGNALS.map((signal) => new Set(process.listeners(signal)));
  return () => {
    for (const [i, signal] of SIGNALS.entries())
      for (const listener of process.listeners(signal))
        if (!before[i]?.has(listener)) process.removeListener(signal, listener);
  };
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
