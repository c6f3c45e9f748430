import { z } from 'zod';
import type { PassedCommand } from './commands.ts';
import { jsonVariable } from './json-variable.ts';

/**
 * Commands that a plug-in of the broker's server answers (mt5-webapi §1.9): `/api/<NAME>` here is `/<NAME>` there. What
 * they do is known to who configures them alone, and so is what a key may use them for.
 */

/** Prefixes of the server's own commands. */
const RESERVED =
  /^(AUTH|USER|TRADE|TIME|GROUP|ORDER|POSITION|DEAL|HISTORY|TICK|MAIL|NEWS|COMMON)_|^QUIT|^TEST_(TRADE|ACCESS)$/i;

const EXPECTED = 'expected a JSON list of {"path","scope","write"?,"logins"?}';

const customCommand = z
  .strictObject({
    path: z
      .string()
      .regex(/^[A-Za-z]\w{0,63}$/, 'expected the name of a plug-in’s command: 1–64 of A–Z a–z 0–9 _, a letter first')
      .refine((path) => !RESERVED.test(path), 'is a name of the server’s own commands'),
    scope: z.enum(['read', 'trade', 'manage', 'operate'], { error: 'expected read, trade, manage or operate' }),
    write: z.boolean({ error: 'expected true or false' }).default(false),
    logins: z
      .string()
      .regex(/^\w{1,64}$/, 'expected the name of the parameter that holds logins')
      .optional(),
  })
  .refine(({ scope, write }) => !(write && scope === 'read'), {
    path: ['scope'],
    error: 'a command that writes needs more than read',
  });

/** The value of `MT5_CUSTOM_COMMANDS`, as commands by their paths. */
export const customCommandsSchema = z
  .string()
  .default('')
  .transform((text) => text || '[]')
  .pipe(jsonVariable(EXPECTED))
  .pipe(z.array(customCommand, { error: EXPECTED }).max(200, 'expected at most 200 commands'))
  .refine((list) => new Set(list.map(({ path }) => path)).size === list.length, 'expected each path once')
  .transform(
    (list): ReadonlyMap<string, PassedCommand> =>
      new Map(
        list.map(({ path, scope, write, logins }) => [
          path,
          {
            path,
            target: `/${path}`,
            scope,
            mutation: write,
            dealer: false,
            masked: logins === undefined ? undefined : 'any',
            loginParameter: logins ?? 'login',
          },
        ]),
      ),
  );

export type CustomCommands = z.output<typeof customCommandsSchema>;
