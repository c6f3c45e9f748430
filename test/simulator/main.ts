/** `npm run simulator`: the simulator as a program. Flags, or the same names in upper case in the environment. */
import { parseArgs } from 'node:util';
import { type SimulatorOptions, startSimulator } from './server.ts';

interface Flag {
  readonly default: number;
  readonly from: number;
  readonly to: number;
  readonly meaning: string;
}

const FLAGS = {
  port: { default: 8443, from: 0, to: 65_535, meaning: 'TLS port of the Web API; 0 = any free one' },
  'control-port': { default: 8444, from: 0, to: 65_535, meaning: 'plain HTTP port of the control paths' },
  'ticks-per-second': { default: 20, from: 0, to: 10_000, meaning: 'ticks of all symbols together' },
  seed: { default: 1, from: 0, to: 4_294_967_295, meaning: 'same seed, same books and same walk' },
  'latency-ms': { default: 0, from: 0, to: 600_000, meaning: 'delay of every answer' },
  'auth-latency-ms': { default: 0, from: 0, to: 600_000, meaning: 'delay of each step of the sign-in' },
} as const satisfies Record<string, Flag>;

const usage = (): string =>
  '  --host              address to listen at (default 127.0.0.1)\n' +
  '  --verbose           print each request and its answer\n' +
  Object.entries(FLAGS)
    .map(([name, flag]) => `  --${name.padEnd(17)} ${flag.meaning} (default ${flag.default})`)
    .join('\n');

function readOptions(): Record<keyof typeof FLAGS, number> & { readonly host: string; readonly verbose: boolean } {
  const { values } = parseArgs({
    options: {
      host: { type: 'string' },
      verbose: { type: 'boolean' },
      ...Object.fromEntries(Object.keys(FLAGS).map((name) => [name, { type: 'string' as const }])),
    },
  });
  const given: Record<string, string | boolean | undefined> = values;
  const faults: string[] = [];
  const read = (name: keyof typeof FLAGS): number => {
    const flag = FLAGS[name];
    const variable = name.toUpperCase().replaceAll('-', '_');
    const text = given[name] ?? process.env[variable];
    if (text === undefined || text === '') return flag.default;
    const value = Number(text);
    if (!Number.isInteger(value) || value < flag.from || value > flag.to) {
      faults.push(`--${name} (${variable}): expected an integer from ${flag.from} to ${flag.to}, got ${String(text)}`);
    }
    return value;
  };
  const options = Object.fromEntries(Object.keys(FLAGS).map((name) => [name, read(name as keyof typeof FLAGS)]));
  if (faults.length > 0) throw new TypeError(faults.join('\n'));
  const host = given['host'] ?? process.env['SIMULATOR_HOST'];
  const numbers = options as Record<keyof typeof FLAGS, number>;
  return {
    ...numbers,
    host: typeof host === 'string' && host !== '' ? host : '127.0.0.1',
    verbose: given['verbose'] === true,
  };
}

function fail(error: unknown): never {
  console.error(`simulator: ${error instanceof Error ? error.message : String(error)}\n${usage()}`);
  process.exit(1);
}

try {
  const flags = readOptions();
  const options: SimulatorOptions = {
    host: flags.host,
    port: flags.port,
    controlPort: flags['control-port'],
    ticksPerSecond: flags['ticks-per-second'],
    seed: flags.seed,
    latencyMs: flags['latency-ms'],
    authLatencyMs: flags['auth-latency-ms'],
    ...(flags.verbose ? { journal: (line) => console.log(line) } : {}),
  };
  const starting = startSimulator(options);
  const stop = (): void => {
    starting
      .then((simulator) => simulator.close())
      .then(
        () => process.exit(0),
        (error: unknown) => fail(error),
      );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  const simulator = await starting;
  const { host, port, controlPort, certificateSha256 } = simulator;
  console.log(`MT5 Web API    https://${host}:${port}   manager 1000, API password Password1`);
  console.log(`control        http://${host}:${controlPort}/stats /fault /switch /clock /books /latency /feed /reset`);
  console.log(`certificate    sha256 ${certificateSha256} (PEM: http://${host}:${controlPort}/certificate)`);
  console.log(
    `the bridge     MT5_SERVER=${host}:${port} MT5_LOGIN=1000 MT5_PASSWORD=Password1 MT5_TLS=pin:${certificateSha256}`,
  );
} catch (error) {
  fail(error);
}
