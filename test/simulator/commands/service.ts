import { done, type Command } from '../command.ts';

export const serviceCommands: readonly Command[] = [
  { path: 'test/access', rights: [], run: () => done() },
  { path: 'test/trade', rights: [], run: () => done() },
];
