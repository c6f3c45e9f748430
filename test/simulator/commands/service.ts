import { done, refused, type Command } from '../command.ts';

/** Administration that a bridge does not need. It exists, and every manager here lacks the right to it. */
const ADMINISTRATION = [
  'server/restart',
  'logger/server_request',
  ...['server', 'gateway', 'feeder', 'plugin', 'report', 'manager', 'route', 'firewall', 'holiday', 'leverage'].flatMap(
    (what) => ['add', 'delete', 'shift', 'total', 'next', 'get'].map((verb) => `${what}/${verb}`),
  ),
  ...['get', 'set', 'delete'].map((verb) => `setting/${verb}`),
];

export const serviceCommands: readonly Command[] = [
  { path: 'test/access', rights: [], run: () => done() },
  { path: 'test/trade', rights: [], run: () => done() },
  // Counted, not booked: of a path in two lists the later counts, and the books' own comes later.
  {
    path: 'trade/balance',
    rights: ['RIGHT_ACCOUNTANT'],
    mutates: true,
    run: ({ broker }) => {
      broker.mutations += 1;
      return { retcode: 0, scalars: { Ticket: broker.mutations } };
    },
  },
  ...ADMINISTRATION.map((path): Command => ({ path, rights: [], run: () => refused(8) })),
];
