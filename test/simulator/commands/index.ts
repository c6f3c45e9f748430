import type { Command } from '../command.ts';
import { serviceCommands } from './service.ts';

/** Every command of the simulator: one list per file of this folder. */
export const commands: ReadonlyMap<string, Command> = new Map(
  [...serviceCommands].map((command) => [command.path, command]),
);
