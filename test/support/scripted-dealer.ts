import {
  SessionError,
  type Command,
  type Dealer,
  type MutateOptions,
  type Reply,
} from '../../container/session/upstream.ts';

export function replyOf(body: { readonly retcode: string; readonly [name: string]: unknown }, status = 200): Reply {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  const [code = '', ...text] = body.retcode.split(' ');
  return {
    status,
    contentType: 'application/json',
    bytes,
    retcode: /^\d+$/.test(code) ? Number(code) : undefined,
    retcodeText: text.join(' '),
    json: () => body,
  };
}

/** A dealer connection that does what the test says: sends get ids in turn, results come when the test gives them. */
export class ScriptedDealer implements Dealer {
  readonly isAvailable = true;
  generation = 1;
  sent: Record<string, string>[] = [];
  polls: string[][] = [];
  /** Where the ids stand in the answer. */
  place: 'top' | 'answer' = 'answer';
  onSend: ((options: MutateOptions) => Promise<Reply | undefined>) | undefined;
  readonly #results = new Map<string, unknown[]>();
  #lastId = 100;

  async mutate(command: Command, options: MutateOptions): Promise<Reply & { readonly generation: number }> {
    let dispatched = false;
    const onDispatch = (): void => {
      if (!dispatched) options.onDispatch?.();
      dispatched = true;
    };
    const scripted = await this.onSend?.({ ...options, onDispatch });
    onDispatch();
    this.sent.push(JSON.parse(String(command.body)) as Record<string, string>);
    if (scripted) return { ...scripted, generation: this.generation };
    const id = String(++this.#lastId);
    this.#results.set(id, []);
    return { ...replyOf({ retcode: '0 Done', answer: { id } }), generation: this.generation };
  }

  async read(command: Command, generation: number): Promise<Reply> {
    if (generation !== this.generation) throw new SessionError('lost', 'another connection');
    const ids = (command.query?.find(([name]) => name === 'id')?.[1] ?? '').split(',');
    this.polls.push(ids);
    const known = Object.fromEntries(ids.flatMap((id) => (this.#results.has(id) ? [[id, this.#results.get(id)]] : [])));
    if (Object.keys(known).length === 0) return replyOf({ retcode: '13 Not found' });
    return replyOf(this.place === 'top' ? { retcode: '0 Done', ...known } : { retcode: '0 Done', answer: known });
  }

  /** The n-th request sent, from 0. */
  decide(n: number, retcode: string, more: Record<string, string> = {}): void {
    const confirm = { result: { Retcode: '10002 Accepted' } };
    this.#results.set(String(101 + n), [confirm, { answer: { ...this.sent[n], ResultRetcode: retcode, ...more } }]);
  }

  forget(n: number): void {
    this.#results.delete(String(101 + n));
  }
}
