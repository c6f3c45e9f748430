/**
 * `npm run probe`: what an MT5 access server has and how it says it, over one session, reading only. The same settings as
 * the bridge (`MT5_SERVER`, `MT5_LOGIN`, `MT5_PASSWORD`, `MT5_TLS`, `MT5_PROXY`). The report names no client, no group and
 * no ticket: it can be sent to others.
 */
import { ConfigError } from '../../container/host/config.ts';
import { findCommands, type CommandFound } from './commands.ts';
import { findForms, type Forms } from './forms.ts';
import { lookAround, type Known } from './known.ts';
import { ProbedServer } from './server.ts';

const VERDICTS = {
  has: 'has',
  lacks: 'does not have',
  forbidden: 'refuses this manager',
  unclear: 'answers unclearly',
};

function report(
  server: ProbedServer,
  known: Known,
  commands: readonly CommandFound[],
  { switches, notes }: Forms,
): void {
  const print = (line = ''): void => console.log(line);
  print(`# An MT5 access server, build ${server.build ?? 'not told'}`);
  print();
  print(`Signed in within ${server.signInMs} ms; ${server.questions} questions asked, all of them reads.`);
  const times = commands.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  const at = (part: number): string => (times[Math.floor(times.length * part)] ?? 0).toFixed(1);
  print(`One question takes ${at(0.5)} ms (half of them less, nine of ten less than ${at(0.9)} ms).`);
  print(
    `Looked at: ${known.logins.length} accounts${known.busy ? `, one with ${known.busy.deals} deals` : ''}${known.idle === undefined ? ', none without positions' : ''}.`,
  );
  print();
  print('## Commands');
  for (const verdict of ['has', 'lacks', 'forbidden', 'unclear'] as const) {
    const found = commands.filter((command) => command.verdict === verdict);
    if (found.length === 0) continue;
    const name = ({ path, retcode, status }: CommandFound): string =>
      verdict === 'unclear' ? `${path} (HTTP ${status}, retcode ${retcode ?? 'none'})` : path;
    print(`- ${VERDICTS[verdict]}: ${found.map((command) => name(command)).join(' ')}`);
  }
  print();
  print('## How it says things');
  for (const note of notes) print(`- ${note}`);
  print();
  print('## The simulator, made the same');
  const missing = commands.filter(({ verdict }) => verdict === 'lacks').map(({ path }) => path);
  const all = { ...switches, ...(missing.length > 0 ? { missingCommands: missing } : {}) };
  print(`curl -d '${JSON.stringify(all)}' http://127.0.0.1:8444/switch`);
  print(
    'Not looked at, since it would change something: userUpdate, userAddLogin, longText, passwordPolicy, marketFlag.',
  );
}

async function main(): Promise<number> {
  const server = await ProbedServer.signIn(process.env);
  try {
    const known = await lookAround(server);
    const commands = await findCommands(server, known);
    report(server, known, commands, await findForms(server, known));
  } finally {
    await server.close();
  }
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  const faults = error instanceof ConfigError ? error.message : error instanceof Error ? error.message : String(error);
  console.error(faults);
  process.exitCode = 1;
}
