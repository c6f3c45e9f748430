import { startContainer } from './compose.ts';
import { ConfigError, loadConfig, type Config } from './config.ts';
import { createLog } from './log.ts';

/** After this the process ends, whatever still hangs. */
const EXIT_BY_FORCE_MS = 9_000;

/** The container program: configuration, start, signals. */
async function main(): Promise<void> {
  const bootLog = createLog({ level: 'info', secrets: [] });
  let config: Config;
  try {
    config = loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    bootLog.error('configuration_not_valid', { faults: error.faults });
    process.exitCode = 1;
    return;
  }
  const container = await startContainer(config, { onDrainAsked: () => void stop() });
  let stopping = false;
  async function stop(): Promise<void> {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), EXIT_BY_FORCE_MS).unref();
    await container.close();
    process.exit(0);
  }
  process.on('SIGTERM', () => void stop()).on('SIGINT', () => void stop());
  const crash = (error: unknown): void => {
    container.log.error('crash', { error });
    process.exit(1);
  };
  process.on('uncaughtException', crash).on('unhandledRejection', crash);
}

await main();
