import type { Command } from '../command.ts';
import { firstReads } from './first-reads.ts';
import { serviceCommands } from './service.ts';

/** Every command of the simulator: one list per file of this folder; of a path in two lists the later counts. */
export const commands: ReadonlyMap<string, Command> = new Map(
  [...firstReads, ...serviceCommands].map((command) => [command.path, command]),
);
