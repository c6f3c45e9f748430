import type { AdmittedCommand } from '../../contract/admission.ts';
import type { CallTimings, Command, Reply, Upstream } from '../../session/upstream.ts';
import { replyError, toBridgeError } from './upstream-errors.ts';

export interface PassthroughContext {
  readonly requestId: string;
  readonly address: () => string | undefined;
  readonly deadlineAtMs: number;
  readonly lane: string;
  readonly signal: AbortSignal;
  readonly timings: CallTimings;
}

/** Status and bytes as the broker sent them. */
export interface PassthroughAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly bytes: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A mutation on its way through the operations ledger. */
export type PassthroughMutation = (
  admitted: AdmittedCommand,
  context: PassthroughContext,
) => Promise<PassthroughAnswer>;

const DEFAULT_CONTENT_TYPE = 'application/json; charset=utf-8';

/** `/api/*`: the Web API itself, byte for byte, for commands of the table and callers who may use them. */
export class Passthrough {
  readonly #upstream: Upstream;
  readonly #mutate: PassthroughMutation;

  constructor(upstream: Upstream, mutate: PassthroughMutation) {
    this.#upstream = upstream;
    this.#mutate = mutate;
  }

  /** @throws BridgeError */
  async answer(admitted: AdmittedCommand, context: PassthroughContext): Promise<PassthroughAnswer> {
    return admitted.command.mutation
      ? this.#mutate(admitted, context)
      : passedAnswer(await this.#read(admitted, context));
  }

  async #read(admitted: AdmittedCommand, context: PassthroughContext): Promise<Reply> {
    // One for all callers: whoever asks for a result need not say which connection sent the request.
    const [dealer] = this.#upstream.dealers;
    const wire = wireOf(admitted);
    try {
      return admitted.command.dealer
        ? await dealer.read(wire, dealer.generation, context)
        : await this.#upstream.read(wire, context);
    } catch (error) {
      throw toBridgeError(error);
    }
  }
}

/** The command as it goes to the broker, byte for byte. */
export const wireOf = ({ command, query, body, contentType }: AdmittedCommand): Command => ({
  path: command.target ?? command.path,
  rawQuery: query,
  ...(body ? { body } : {}),
  ...(contentType === undefined ? {} : { contentType }),
});

/** Whatever has a retcode is the broker's own answer; everything else is one of the bridge's errors. */
function passedAnswer(reply: Reply, write = false): PassthroughAnswer {
  if (reply.retcode === undefined) {
    const error = replyError(reply, { write });
    if (error) throw error;
  }
  return { status: reply.status, contentType: reply.contentType ?? DEFAULT_CONTENT_TYPE, bytes: reply.bytes };
}
