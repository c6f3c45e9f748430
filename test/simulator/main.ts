/** `npm run simulator`: the simulator as a program. */
import { type Flags, readFlags, USAGE } from './flags.ts';
import { startSimulator } from './server.ts';

function fail(error: unknown, hint = ''): never {
  console.error(`simulator: ${error instanceof Error ? error.message : String(error)}${hint}`);
  process.exit(1);
}

function flagsOrExit(): Flags {
  try {
    return readFlags(process.argv.slice(2), process.env);
  } catch (error) {
    return fail(error, `\n${USAGE}`);
  }
}

if (process.argv.includes('--help')) {
  console.log(`npm run simulator -- [flags]\n${USAGE}`);
  process.exit(0);
}
const { verbose, ...options } = flagsOrExit();
const starting = startSimulator(verbose ? { ...options, journal: (line) => console.log(line) } : options);
const stop = (): void => {
  starting.then((simulator) => simulator.close()).then(() => process.exit(0), fail);
};
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
const { host, port, controlPort, certificateSha256 } = await starting.catch((error: unknown) => fail(error));
const control = `http://${host}:${controlPort}`;
console.log(`MT5 Web API    https://${host}:${port}   manager 1000, API password Password1`);
console.log(`control        ${control}/stats /fault /switch /clock /feed /dealer /books /latency /reset`);
console.log(`certificate    sha256 ${certificateSha256} (PEM: ${control}/certificate)`);
console.log(
  `the bridge     MT5_SERVER=${host}:${port} MT5_LOGIN=1000 MT5_PASSWORD=Password1 MT5_TLS=pin:${certificateSha256}`,
);
