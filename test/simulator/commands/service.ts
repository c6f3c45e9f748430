import { done, type Command } from '../command.ts';

/** Commands that only ask whether the session is there. */
export const serviceCommands: readonly Command[] = [
  { path: 'test/access', rights: [], run: () => done() },
  { path: 'test/trade', rights: [], run: () => done() },
];
