import type { Command } from '../command.ts';
import { archiveCommands } from './archives.ts';
import { chartCommands } from './charts.ts';
import { clientPaperCommands } from './client-papers.ts';
import { configurationCommands } from './configuration.ts';
import { dailyCommands } from './daily.ts';
import { dealerCommands } from './dealer.ts';
import { groupCommands } from './groups.ts';
import { messageCommands } from './messages.ts';
import { serverInfoCommands } from './server-info.ts';
import { serviceCommands } from './service.ts';
import { subscriptionCommands } from './subscriptions.ts';
import { symbolCommands } from './symbols.ts';
import { tickCommands } from './ticks.ts';
import { tradeCommands } from './trade.ts';
import { tradeChangeCommands } from './trade-changes.ts';
import { tradeReadCommands } from './trade-reads.ts';
import { userChangeCommands } from './user-changes.ts';
import { userCommands } from './users.ts';

/** Every command of the simulator: one list per file of this folder. */
export const commands: ReadonlyMap<string, Command> = new Map(
  [
    ...serviceCommands,
    ...serverInfoCommands,
    ...userCommands,
    ...groupCommands,
    ...symbolCommands,
    ...tickCommands,
    ...chartCommands,
    ...tradeReadCommands,
    ...tradeChangeCommands,
    ...userChangeCommands,
    ...dailyCommands,
    ...messageCommands,
    ...tradeCommands,
    ...dealerCommands,
    ...archiveCommands,
    ...clientPaperCommands,
    ...configurationCommands,
    ...subscriptionCommands,
  ].map((command) => [command.path, command]),
);
