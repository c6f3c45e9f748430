import { expect, it } from 'vitest';
import { containerEnv, newStartSecret } from '../../../../worker/holder/container-env.ts';
import { placeBroker } from '../../../../worker/placement.ts';

it('passes on what the container needs and nothing else', () => {
  const env = containerEnv(
    {
      MT5_SERVER: 'broker:443',
      MT5_LOGIN: '1000',
      MT5_PASSWORD: 'secret',
      MT5_TLS: 'verify',
      MT5_PROXY: '',
      POOL_MAX: '4',
      BRIDGE_API_KEYS: '[]',
      SLEEP_AFTER: '10m',
      BRIDGE: { idFromName: () => undefined },
      CLOUDFLARE_API_TOKEN: 'never',
    },
    'start-secret',
  );
  expect(env).toEqual({
    MT5_SERVER: 'broker:443',
    MT5_LOGIN: '1000',
    MT5_PASSWORD: 'secret',
    MT5_TLS: 'verify',
    POOL_MAX: '4',
    BRIDGE_START_SECRET: 'start-secret',
  });
});

it('makes a new secret of 256 bits for each start', () => {
  expect(newStartSecret()).toMatch(/^[0-9a-f]{64}$/);
  expect(newStartSecret()).not.toBe(newStartSecret());
});

it('places a broker always at the same object, until its version is raised', () => {
  expect(placeBroker('main', 1)).toBe(placeBroker('main', 1));
  expect(placeBroker('main', 2)).not.toBe(placeBroker('main', 1));
  expect(placeBroker('other', 1)).not.toBe(placeBroker('main', 1));
});
