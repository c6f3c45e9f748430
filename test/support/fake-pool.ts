import { SessionPool, type PoolOptions } from '../../container/session/pool.ts';
import { SESSION_TIMINGS } from '../../container/session/session.ts';
import { FAKE_PASSWORD_HASH, type FakeTransport } from './fake-transport.ts';

/** A pool over connections without sockets, whose sign-ins are permitted; times are those of the test's clock. */
export const fakePool = (
  transport: FakeTransport,
  options: Partial<PoolOptions> & { readonly max: number },
): SessionPool =>
  new SessionPool({
    transport,
    gate: {
      permit: () => Promise.resolve({ granted: true, permitId: 'p' }),
      succeeded: () => Promise.resolve({ epoch: 1 }),
      failed: () => Promise.resolve({ retryAtMs: Date.now() + 5_000 }),
    },
    addresses: [{ host: 'fake', port: 443 }],
    credentials: { login: '1000', passwordHash: FAKE_PASSWORD_HASH, agent: 'test' },
    timings: SESSION_TIMINGS,
    now: () => Date.now(),
    random: () => 0,
    onEvent: () => undefined,
    onStatus: () => undefined,
    ...options,
  });

/** For calls that may wait so long, by the test's clock. */
export const within = (ms: number): { readonly deadlineAtMs: number } => ({ deadlineAtMs: Date.now() + ms });
