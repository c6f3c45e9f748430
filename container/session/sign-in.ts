import { TransportError, type TransportReply } from '../transport/transport.ts';
import { RETCODE } from '../webapi/retcodes.ts';
import { encodeCommand, type WireRequest } from '../webapi/command.ts';
import { answerQuery, challengeAnswer, equalBytes, fromHex, newChallenge, startQuery } from '../webapi/handshake.ts';
import { BARE_FORBIDDEN_REASON, isServerSide, signInReason } from '../webapi/sign-in-reasons.ts';
import { WebApiReply } from './reply.ts';
import type { SignInFailed } from './sign-in-gate.ts';

export interface Credentials {
  readonly login: string;
  /** `passwordHash` of the API password: the password itself is not kept. */
  readonly passwordHash: Uint8Array;
  readonly agent: string;
}

export class SignInError extends Error {
  readonly kind: SignInFailed['kind'];
  readonly retcode: number | null;

  constructor(kind: SignInFailed['kind'], reason: string, retcode: number | null = null, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause });
    this.name = 'SignInError';
    this.kind = kind;
    this.retcode = retcode;
  }
}

/** Carries one request of the handshake over the connection, within the time of a step. */
export type HandshakeExchange = (request: WireRequest) => Promise<TransportReply>;

/**
 * The challenge and response of mt5-webapi §1.3.
 * @throws SignInError
 */
export async function signIn(
  exchange: HandshakeExchange,
  credentials: Credentials,
  onChallenged: () => void,
): Promise<{ serverBuild: string | null }> {
  const start = await step('auth/start', exchange, startQuery(credentials.login, credentials.agent));
  const serverChallenge = fromHex(start['srv_rand']);
  if (!serverChallenge) throw notTheProtocol('auth/start', 'without a srv_rand of 32 hex digits');
  onChallenged();

  const challenge = newChallenge();
  const answer = challengeAnswer(credentials.passwordHash, serverChallenge);
  const done = await step('auth/answer', exchange, answerQuery(answer, challenge));
  const proof = fromHex(done['cli_rand_answer']);
  if (!proof || !equalBytes(proof, challengeAnswer(credentials.passwordHash, challenge)))
    throw new SignInError(
      'impostor',
      'The server did not prove that it knows the password (cli_rand_answer is wrong): it may be an impostor. ' +
        'Nothing was sent to it; check MT5_SERVER, MT5_TLS and MT5_PROXY.',
    );
  const build = done['version_trade'] ?? done['version_access'] ?? start['version_access'];
  return { serverBuild: typeof build === 'string' || typeof build === 'number' ? String(build) : null };
}

/** One step: the JSON object of a `0 Done`, by lower-case name. */
async function step(path: string, exchange: HandshakeExchange, query: string): Promise<Record<string, unknown>> {
  let answer: TransportReply;
  try {
    answer = await exchange(encodeCommand(path, query));
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    throw new SignInError('unreachable', `The broker did not complete ${path}: ${error.message}.`, null, error);
  }
  const reply = new WebApiReply(answer.status, undefined, answer.bytes);
  const { retcode } = reply;
  if (retcode === undefined) {
    if (reply.isBareForbidden) throw new SignInError('refused', BARE_FORBIDDEN_REASON);
    throw notTheProtocol(path, `with status ${answer.status} and no retcode`);
  }
  if (retcode !== RETCODE.OK)
    throw new SignInError(
      isServerSide(retcode) ? 'unreachable' : 'refused',
      signInReason(retcode, reply.retcodeText),
      retcode,
    );
  try {
    return Object.fromEntries(Object.entries(reply.json()).map(([name, value]) => [name.toLowerCase(), value]));
  } catch {
    throw notTheProtocol(path, 'with broken JSON');
  }
}

const notTheProtocol = (path: string, what: string): SignInError =>
  new SignInError(
    'unreachable',
    `The server answered ${path} ${what}: it is down for maintenance, or not an MT5 access server.`,
  );
