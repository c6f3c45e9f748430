import { type CommandReply, Json } from './command.ts';
import { retcodeText } from './retcodes.ts';
import type { Switches } from './switches.ts';

/** JSON of a reply, `retcode` first. Numbers in objects are strings on the wire, numbers in arrays are bare. */
export function encodeReply(reply: CommandReply, switches: Readonly<Switches>): string {
  let json = `{"retcode":"${retcodeText(reply.retcode, switches)}"`;
  if (reply.top !== undefined) {
    const top = encode(reply.top);
    if (top.length > 2) json += `,${top.slice(1, -1)}`;
  }
  if (reply.scalars !== undefined) {
    const entries = Object.entries(reply.scalars);
    const lower = switches.scalarCasing === 'lower';
    json += `,"answer":${encode(lower ? Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value])) : reply.scalars)}`;
  } else if (reply.answer !== undefined) json += `,"answer":${encode(reply.answer)}`;
  return `${json}}`;
}

/** Text that needs no escape in JSON: most of what a broker says. JSON.stringify alone takes twice as long. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const quote = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));

/** A value as it stands in a reply. */
export function encode(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (value instanceof Json) return value.text;
  if (Array.isArray(value)) {
    let json = '[';
    for (let index = 0; index < value.length; index += 1) json += (index === 0 ? '' : ',') + encode(value[index]);
    return `${json}]`;
  }
  if (typeof value === 'object' && value !== null) {
    let json = '{';
    for (const name in value) {
      const member: unknown = (value as Record<string, unknown>)[name];
      if (member !== undefined) json += `${json.length === 1 ? '"' : ',"'}${name}":${encodeMember(member)}`;
    }
    return `${json}}`;
  }
  return value === true ? '"1"' : value === false ? '"0"' : 'null';
}

const encodeMember = (value: unknown): string =>
  typeof value === 'number' || typeof value === 'bigint' ? `"${value}"` : encode(value);
