import { execFile, spawnSync } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Simulator, startSimulator } from '../../simulator/server.ts';

/** Clients in the languages that people write them in, from the protocol document alone (test/clients). */
const LANGUAGES: readonly {
  readonly name: string;
  readonly probe: readonly string[];
  readonly run: readonly string[];
}[] = [
  { name: 'Python', probe: ['python3', '--version'], run: ['python3', 'client.py'] },
  {
    name: 'PHP with curl',
    probe: ['php', '-r', 'exit(function_exists("curl_init") ? 0 : 1);'],
    run: ['php', 'client.php'],
  },
  {
    name: 'Perl with openssl',
    probe: ['sh', '-c', 'perl -MJSON::PP -MDigest::MD5 -e 1 && openssl version'],
    run: ['perl', 'client.pl'],
  },
  { name: 'Go', probe: ['go', 'version'], run: ['go', 'run', 'client.go'] },
];
const FOLDER = path.resolve(import.meta.dirname, '../../clients');

const isThere = ([command = '', ...args]: readonly string[]): boolean => spawnSync(command, args).status === 0;

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
});
afterAll(() => simulator.close());

describe.each(LANGUAGES)('a client in $name', ({ name, probe, run }) => {
  const there = isThere(probe);
  test.skipIf(!there)(
    there ? 'signs in, reads, changes, trades and says goodbye' : `skipped: this machine has no ${name}`,
    async () => {
      const signedIn = simulator.stats().handshakes;
      const [command = '', ...args] = run;
      const { stdout } = await promisify(execFile)(command, [...args, simulator.host, String(simulator.port)], {
        cwd: FOLDER,
        timeout: 60_000,
      });
      expect(JSON.parse(stdout)).toEqual({
        group: 'real\\hedge-usd',
        users: '101',
        marginInitialBuy: expect.stringMatching(/^\d+\.\d+$/),
        opened: '10009',
        closed: '10009',
        client: 'Ада',
        kept: true,
        all: true,
        unknown: 400,
      });
      expect(simulator.stats().handshakes).toBe(signedIn + 1);
      expect(simulator.broker.verifyBooks()).toEqual([]);
    },
    90_000,
  );
});
