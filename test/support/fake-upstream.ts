import { WebApiReply } from '../../container/session/reply.ts';
import type { Command, Reply, Upstream } from '../../container/session/upstream.ts';

/** An upstream without a session: `answer` gives the body of every command, JSON under status 200. */
export function fakeUpstream(answer: (command: Command) => string | Promise<string>): Upstream {
  const reply = async (command: Command): Promise<Reply> =>
    new WebApiReply(200, 'application/json', new TextEncoder().encode(await answer(command)));
  return {
    read: reply,
    mutate: reply,
    dealers: [
      {
        isAvailable: true,
        generation: 1,
        mutate: async (command) => Object.assign(await reply(command), { generation: 1 }),
        read: reply,
      },
    ],
  };
}
