/**
 * What a request may see: clients of the manager's groups. A login outside the masks is `8 Not enough permissions`, one
 * that does not exist `13 Not found`; lists leave out what is not visible.
 */
import { compileMask } from '../broker/masks.ts';
import type { Group } from '../broker/groups.ts';
import type { User } from '../broker/records.ts';
import { refused, type CommandReply, type CommandRequest, type Manager } from '../command.ts';

export const RETCODE = { error: 2, params: 3, permissions: 8, notFound: 13, partial: 14, duplicate: 17 } as const;

export function seesGroup(manager: Manager, group: string): boolean {
  return manager.groups === '*' || compileMask(manager.groups)(group);
}

/** The client that `login` names, or the refusal. */
export function userOf(request: CommandRequest, login: number | undefined): User | CommandReply {
  if (login === undefined || Number.isNaN(login) || login <= 0) return refused(RETCODE.params);
  const user = request.broker.world.books.users.get(login);
  if (user === undefined) return refused(RETCODE.notFound);
  return seesGroup(request.manager, user.group) ? user : refused(RETCODE.permissions);
}

export const isRefusal = (value: object): value is CommandReply => 'retcode' in value;

/** Visible clients of a group mask, by login. */
export function usersInMask(request: CommandRequest, mask: string): User[] {
  const matches = compileMask(mask);
  const { groups, users } = request.broker.world.books;
  // There are ten groups, and there may be 50,000 users.
  const seen = new Set([...groups.keys()].filter((group) => matches(group) && seesGroup(request.manager, group)));
  return users.inOrder.filter((user) => seen.has(user.group));
}

/** Clients named by `login=a,b` or `group=mask`; names that are no logins refuse the whole request. */
export function usersAsked(request: CommandRequest): User[] | CommandReply {
  const logins = request.parameters.text('login');
  if (logins !== undefined && logins !== '') {
    const numbers = numbersOf(logins);
    if (numbers === undefined) return refused(RETCODE.params);
    const { users } = request.broker.world.books;
    return [...new Set(numbers)].flatMap((login) => {
      const user = users.get(login);
      return user !== undefined && seesGroup(request.manager, user.group) ? [user] : [];
    });
  }
  const mask = request.parameters.text('group');
  if (mask === undefined || mask === '') return refused(RETCODE.params);
  return usersInMask(request, mask);
}

/** `1,2,3` as whole numbers; undefined where one is not. */
export function numbersOf(list: string): number[] | undefined {
  const numbers = list.split(',').map((item) => (/^\s*\d{1,15}\s*$/u.test(item) ? Number(item) : Number.NaN));
  return numbers.includes(Number.NaN) ? undefined : numbers;
}

export function groupOf(request: CommandRequest, user: User): Group {
  return request.broker.world.books.groupOf(user);
}
