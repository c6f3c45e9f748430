import { done, type Command } from '../command.ts';

export const serviceCommands: readonly Command[] = [
  { path: 'test/access', rights: [], run: () => done() },
  { path: 'test/trade', rights: [], run: () => done() },
  // A plug-in's, found at `/PLUGIN_ECHO` (mt5-webapi §1.9).
  {
    path: 'plugin_echo',
    rights: ['RIGHT_ACC_READ'],
    run: ({ parameters }) => done({ Accounts: parameters.text('accounts') ?? '', Text: parameters.text('text') ?? '' }),
  },
];
