import { generate } from 'selfsigned';
import tls from 'node:tls';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';
import { startScriptedServer, type ScriptedServer } from '../../support/scripted-server.ts';

/** Certificates as authorities give them: root, intermediate, and the server's own for `localhost`. */

interface Identity {
  readonly key: string;
  readonly cert: string;
}

let leaf: Identity;
let intermediate: Identity;
let server: ScriptedServer;
let bridge: BridgeUnderTest;

beforeAll(async () => {
  const issue = async (name: string, by?: Identity): Promise<Identity> => {
    const isServer = name === 'localhost';
    const { private: key, cert } = await generate([{ name: 'commonName', value: name }], {
      ...(by ? { ca: by } : {}),
      extensions: [
        { name: 'basicConstraints', cA: !isServer, critical: true },
        ...(isServer
          ? [{ name: 'subjectAltName' as const, altNames: [{ type: 2 as const, value: 'localhost' }] }]
          : [{ name: 'keyUsage' as const, keyCertSign: true, digitalSignature: true }]),
      ],
    });
    return { key, cert };
  };
  const root = await issue('Test Root');
  intermediate = await issue('Test Intermediate', root);
  leaf = await issue('localhost', intermediate);
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), root.cert]);
});
afterEach(async () => {
  await bridge.close();
  await server.close();
});

async function readFrom(cert: string, policy: string): Promise<{ status: number; detail: string }> {
  server = await startScriptedServer(() => undefined, 'Password1', { key: leaf.key, cert });
  const env = { MT5_SERVER: `localhost:${server.port}`, MT5_TLS: policy.replace('{pin}', server.certificateSha256) };
  bridge = await startBridge({ simulator: server, env });
  const answer = await bridge.fetch('/api/user/get?login=1001');
  return { status: answer.status, detail: ((await answer.json()) as { detail?: string }).detail ?? '' };
}

it('a chain with an intermediate is verified up to its root', async () => {
  expect(await readFrom(`${leaf.cert}\n${intermediate.cert}`, 'verify')).toEqual({ status: 200, detail: '' });
});

it('where the server forgets the intermediate, it is said, and how to go on', async () => {
  const { status, detail } = await readFrom(leaf.cert, 'verify');
  expect(status).toBe(503);
  expect(detail).toContain('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  expect(detail).toContain('MT5_TLS=pin:');
});

it.each(['with', 'without'])(
  'the pin is of the server’s own certificate, %s an intermediate behind it',
  async (which) => {
    const cert = which === 'with' ? `${leaf.cert}\n${intermediate.cert}` : leaf.cert;
    expect((await readFrom(cert, 'pin:{pin}')).status).toBe(200);
  },
);
