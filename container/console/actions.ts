import type { Schemas } from '../client/index.ts';
import type { App } from './app.ts';
import { counted } from './format.ts';
import type { Confirmation, Model } from './model.ts';

/** What a person may do here, each with what will happen when it is done. */

export const warm = (app: App): Confirmation => ({
  title: 'Warm the bridge',
  happens: [
    'The container starts, if it is not running, and signs in at the broker.',
    'From then on it is billed, until the sleep policy lets it stop.',
  ],
  verb: 'Warm',
  isDangerous: false,
  run: async () => {
    const { data } = await app.client.POST('/admin/warm');
    return `The container is ${data.container}, the session ${data.session}.`;
  },
});

export function sleep(app: App, { told }: Model): Confirmation {
  const { inFlight = 0, streams = 0 } = told.status?.data?.container ?? {};
  return {
    title: 'Let the bridge sleep',
    happens: [
      `What is in flight is finished (${counted(inFlight, 'request')}), then the container stops and signs off.`,
      streams === 0
        ? 'No stream is open.'
        : `Streams stay connected (${counted(streams, 'client')} of the container), and get nothing until it is awake again.`,
      'The next request starts it again, with a new sign-in.',
    ],
    verb: 'Sleep',
    isDangerous: false,
    run: async () => {
      const { data } = await app.client.POST('/admin/sleep');
      return `The container is ${data.container}.`;
    },
  };
}

export const haltTrading = (app: App): Confirmation => ({
  title: 'Halt trading',
  happens: [
    'Every order, change and close is refused from now on, of every key and every trader’s session, with this reason.',
    'Open positions and orders stay as they are. Reads and streams go on.',
    'It lasts until somebody resumes trading, over restarts too.',
  ],
  verb: 'Halt trading',
  reason: { label: 'Reason, shown to who is refused', value: 'by an operator' },
  isDangerous: true,
  run: async (reason) => {
    await app.client.POST('/admin/trading/halt', { body: { reason } });
    return 'Trading is halted.';
  },
});

export const resumeTrading = (app: App, { told }: Model): Confirmation => {
  const halts = told.trading?.data?.halts.filter(({ kind }) => kind !== 'all') ?? [];
  return {
    title: 'Resume trading',
    happens: [
      'Orders are sent to the broker again from now on.',
      ...(halts.length === 0
        ? []
        : [
            `Halts of a group, a symbol or a login stay: ${halts.map(({ kind, value }) => `${kind} ${value}`).join(', ')}.`,
          ]),
    ],
    verb: 'Resume trading',
    isDangerous: false,
    run: async () => {
      await app.client.POST('/admin/trading/resume', { body: {} });
      return 'Trading goes on.';
    },
  };
};

export const reconcile = (app: App, { key, kind, login, caller }: Schemas['Operation']): Confirmation => ({
  title: `Reconcile ${key}`,
  happens: [
    `The bridge looks at the broker’s books now for what became of this ${kind}${login === null ? '' : ` of login ${login}`}, sent by the key ${caller}.`,
    'Nothing is sent again. A container that sleeps is started.',
  ],
  verb: 'Look now',
  isDangerous: false,
  run: async () => {
    const { data } = await app.client.POST('/v1/operations/{key}/reconcile', {
      params: { path: { key }, query: { caller } },
    });
    return `${key}: ${data.state}. ${data.detail}`;
  },
});

export const resetSignIn = (app: App): Confirmation => ({
  title: 'Forget failed sign-ins',
  happens: [
    'The next request signs in at once, without waiting out the back-off.',
    'If the credentials are still refused, the broker counts one more refusal: some block a manager after a few.',
  ],
  verb: 'Forget them',
  isDangerous: true,
  run: async () => {
    await app.client.POST('/admin/sign-in/reset');
    return 'Failed sign-ins are forgotten.';
  },
});

export const revoke = (app: App, { id, lastUsedAt }: Schemas['ApiKey']): Confirmation => ({
  title: `Revoke the key ${id}`,
  happens: [
    'It opens nothing any more, within five seconds, and for good: a revoked key does not come back.',
    'Its streams are closed, and the traders’ sessions that it opened end.',
    lastUsedAt === null ? 'It was never used.' : `It was used last at ${lastUsedAt}.`,
  ],
  verb: 'Revoke',
  isDangerous: true,
  run: async () => {
    await app.client.DELETE('/admin/keys/{id}', { params: { path: { id } } });
    return `The key ${id} is revoked.`;
  },
});
