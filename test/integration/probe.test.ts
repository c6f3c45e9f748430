import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import type { SimulatorAddress } from '../support/simulator-variables.ts';
import { startStyledServer } from '../support/styled-server.ts';

const PROGRAM = path.resolve(import.meta.dirname, '../../scripts/probe/main.ts');

let simulator: Simulator;
beforeEach(async () => {
  simulator = await startSimulator({ ticksPerSecond: 0 });
});
afterEach(() => simulator.close());

async function probe(
  server: SimulatorAddress,
  password = 'Password1',
): Promise<{ report: string; switches: Record<string, unknown> }> {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM], {
    env: {
      ...process.env,
      MT5_SERVER: `${server.host}:${server.port}`,
      MT5_LOGIN: '1000',
      MT5_PASSWORD: password,
      MT5_TLS: `pin:${server.certificateSha256}`,
    },
  });
  const json = /^curl -d '(\{.*\})' /mu.exec(stdout)?.[1] ?? '{}';
  return { report: stdout, switches: JSON.parse(json) as Record<string, unknown> };
}

it('finds the switches that make the simulator the same, changes nothing and names no client', async () => {
  const set = {
    scalarCasing: 'documented',
    marginRates: 'nested',
    optionsMode: 'OptionsMode',
    modifyFlags: 'ModifyFlags',
    apiDataUnsigned: 'ValueUint',
    emptyResult: '13',
    pageLimit: 256,
    totalZero: 'empty',
    unknownCommand: '404',
    businessErrorStatus: '4xx',
    unknownResultIds: '13',
    bookUntilSubscribed: 'full',
    missingCommands: ['user/get_batch', 'time/get', 'common/get'],
  } as const;
  const usual = await probe(simulator);
  expect(usual.switches).toMatchObject({
    scalarCasing: 'lower',
    marginRates: 'flat',
    pageLimit: 100,
    totalZero: 'all',
  });
  simulator.switch(set);
  const before = JSON.stringify(simulator.books());
  const { report, switches } = await probe(simulator);
  expect({ ...switches, missingCommands: [] }).toEqual({ ...set, missingCommands: [] });
  expect((switches['missingCommands'] as string[]).toSorted()).toEqual(set.missingCommands.toSorted());
  expect(simulator.stats().mutations).toBe(0);
  expect(JSON.stringify(simulator.books())).toBe(before);
  for (const secret of ['1001', '1002', 'real\\hedge', 'Bennett', 'example.com', 'Password1'])
    expect(report).not.toContain(secret);
});

it('tells a server of another style what it is', async () => {
  const server = await startStyledServer(simulator, {
    lowerCase: true,
    flat: true,
    chunks: true,
    missing: ['user/group', 'order/get_batch'],
  });
  try {
    const { report, switches } = await probe(server);
    expect(report).toContain('names of records: in lower case');
    expect(report).toContain('- does not have: user/group order/get_batch');
    expect(switches).toMatchObject({ marginRates: 'flat', unknownCommand: '400' });
  } finally {
    await server.close();
  }
});

it('says in one line why it cannot sign in', async () => {
  await expect(probe(simulator, 'Wrong1!x')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^The broker refused the sign-in .*API password.*\n$/),
  });
});
