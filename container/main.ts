/**
 * `npm run bridge`: the container program. On a VPS it is the whole bridge: HTTP and WebSocket on `PORT` (8080), its state in
 * the file of `CHECKPOINT`; behind the Worker it is started by the Durable Object. It takes no flags. Its settings are
 * variables of the environment, listed at `/docs/configuration`; required are `MT5_SERVER`, `MT5_LOGIN`, `MT5_PASSWORD` and
 * `BRIDGE_API_KEYS`. What is wrong with them is named at start, all at once.
 */
import { stopAsked } from './host/stop-signals.ts';
import { setFlagsFromString } from 'node:v8';
import { type ContainerOptions, startContainer, type RunningContainer } from './compose.ts';
import { type Config, ConfigError, loadConfig, onPort } from './host/config.ts';
import { createLog } from './host/log.ts';

/** After this the process ends, whatever still hangs. */
const EXIT_BY_FORCE_MS = 9_000;
/** Of a replica that nobody asked to end (EX_TEMPFAIL of sysexits.h): it is to be started again, and follows then. */
const LOST_PLACE_CODE = 75;
/**
 * V8 lets the old generation grow fourfold between collections where the machine has memory to spare; by half, 100 streams
 * after mixed load at full speed take 130 MB instead of 200, and answers per second are the same. Set once the program listens:
 * a start is quicker without collections, and the compile cache is kept by the flags it was made with.
 */
const HEAP_GROWTH = '--heap-growing-percent=50';

/** Signals, configuration, start. */
async function main(): Promise<void> {
  let log = createLog({ level: 'info', secrets: [] });
  const started = Promise.withResolvers<Started | undefined>();
  let running = started.promise;
  let stopping = false;
  const stop = async (exitCode?: number): Promise<void> => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), EXIT_BY_FORCE_MS).unref();
    await (await running)?.close();
    process.exit(exitCode);
  };
  void stopAsked.then(() => stop());
  const crash = (error: unknown): void => {
    log.error('crash', { error });
    process.exit(1);
  };
  process.on('uncaughtException', crash).on('unhandledRejection', crash);
  const begin = (config: Config): Promise<Started> =>
    start(config, {
      onDrainAsked: () => {
        if (config.doorKey !== undefined) beginAnew(config);
        else void stop(config.cluster ? LOST_PLACE_CODE : undefined);
      },
    });
  /** A VPS hands the session back to its Worker, and waits as a new instance until it is needed again. */
  const beginAnew = (config: Config): void => {
    const before = running;
    running = before.then(async (program) => {
      await program?.close();
      return stopping || !program ? undefined : begin(onPort(config, program.port));
    });
    running.catch(crash);
  };
  try {
    const container = await begin(loadConfig(process.env));
    ({ log } = container);
    setFlagsFromString(HEAP_GROWTH);
    started.resolve(container);
  } catch (error) {
    const faults = faultsOf(error);
    if (!faults) throw error;
    log.error('configuration_not_valid', { faults });
    process.exitCode = 1;
    started.resolve(undefined);
  }
}

type Started = Pick<RunningContainer, 'log' | 'port' | 'close'>;

/** Alone, or as one of several replicas; what only those need is not loaded otherwise. */
async function start(config: Config, options: ContainerOptions): Promise<Started> {
  if (!config.cluster) return startContainer(config, options);
  const { startReplica } = await import('./compose/replica.ts');
  return startReplica(config, config.cluster, options);
}

/** What a user can mend; `undefined` = a fault of the program. */
function faultsOf(error: unknown): readonly string[] | undefined {
  if (error instanceof ConfigError) return error.faults;
  const { code, port } = error as { code?: unknown; port?: unknown };
  if (code === 'EADDRINUSE' || code === 'EACCES') return [`PORT: ${String(port)} cannot be listened on (${code})`];
  return undefined;
}

void main();
