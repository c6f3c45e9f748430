import type { PassedCommand } from './commands.ts';
import { BridgeError } from './errors.ts';
import { loginAllowed, type LoginMask } from './keys.ts';

const LOGIN_LIST = /^[1-9]\d{0,15}(,[1-9]\d{0,15})*$/;

/**
 * A key with a login mask passes only what surely names its own logins: parameters of the command's list, each once,
 * written plainly. Everything that two readers could read differently is refused.
 * @param query as it came, without `?`
 * @param body as it came; `undefined` = none
 * @throws BridgeError `login_not_allowed`
 */
export function requireMaskedCommand(
  command: PassedCommand,
  mask: LoginMask,
  query: string,
  body: string | undefined,
): void {
  const allowed = command.masked;
  if (!allowed) throw refusal('This command does not name its logins; a key with a login mask may not use it.');
  const named: Named = { allowed, login: command.loginParameter?.toLowerCase() ?? 'login' };
  const logins = [...queryLogins(query, named), ...bodyLogins(body, named)];
  if (logins.length === 0) throw refusal('Name the login: a key with a login mask sees no other way.');
  const foreign = logins.find((login) => !loginAllowed(mask, login));
  if (foreign !== undefined) throw refusal(`The key may not touch login ${foreign}.`);
}

interface Named {
  readonly allowed: readonly string[] | 'any';
  /** The parameter that names logins, in lower case. */
  readonly login: string;
}

const isAllowed = ({ allowed }: Named, name: string): boolean => allowed === 'any' || allowed.includes(name);

const refusal = (detail: string): BridgeError => new BridgeError('login_not_allowed', { detail, field: 'login' });

function queryLogins(query: string, of: Named): number[] {
  const logins: number[] = [];
  const seen = new Set<string>();
  for (const part of query === '' ? [] : query.split('&')) {
    const [sent = '', ...rest] = part.split('=');
    // Names that are encoded, or differ in their case, could be the same to the server.
    const name = of.allowed === 'any' ? sent.toLowerCase() : sent;
    if (!/^\w+$/.test(name) || !isAllowed(of, name) || rest.length !== 1 || seen.has(name)) throw notPlain(name, of);
    seen.add(name);
    if (name === of.login) logins.push(...loginList(rest[0] ?? ''));
  }
  return logins;
}

/** One flat JSON object. Its member names are compared without case, as MT5 builds differ in it. */
function bodyLogins(body: string | undefined, of: Named): number[] {
  if (body === undefined || body.trim() === '') return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw refusal('The body is not JSON; a key with a login mask may send JSON only.');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw refusal('The body is not a JSON object; a key with a login mask may send no other.');
  const logins: number[] = [];
  const seen = new Set<string>();
  for (const { name, rest } of memberNames(body)) {
    if (!isAllowed(of, name) || seen.has(name)) throw notPlain(name, of);
    seen.add(name);
    if (name === of.login) logins.push(...bodyLogin(rest));
  }
  return logins;
}

/** Every member name of valid JSON text, at any depth, doubles included, with the text that follows its colon. */
function* memberNames(json: string): Generator<{ name: string; rest: string }> {
  for (const match of json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/gs)) {
    if (match[1] === undefined) continue;
    const name = String(JSON.parse(match[0].slice(0, match[0].length - match[1].length))).toLowerCase();
    yield { name, rest: json.slice(match.index + match[0].length) };
  }
}

/** `1001` · `"1001"` · `"1001,1002"` · `[1001,"1002"]`, in plain digits: `1.001e3` is read as 1 by some. */
function bodyLogin(text: string): number[] {
  const value = /^\s*(?:(\d+)|"([\d,]+)"|\[([\d\s,"]+)\])\s*[,}]/.exec(text);
  if (!value) throw refusal('Write a login as plain digits.');
  return loginList((value[1] ?? value[2] ?? value[3] ?? '').replaceAll(/[\s"]/g, ''));
}

function loginList(text: string): number[] {
  if (!LOGIN_LIST.test(text)) throw refusal('Write logins as plain digits, several joined by commas.');
  return text.split(',').map(Number);
}

const notPlain = (name: string, { allowed }: Named): BridgeError =>
  refusal(
    allowed === 'any'
      ? `A key with a login mask may send each parameter once, its name plainly written; "${name.slice(0, 40)}" is not so.`
      : `A key with a login mask may send ${allowed.join(', ')} here, each once; "${name.slice(0, 40)}" is not among them.`,
  );
