import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The examples of the guides and of the README, as programs. A fenced block is run unless its first line says why not (`not-run="…"`); a
 * block of `output` tells what the block before it prints, `…` standing for anything. The blocks of one guide in one
 * language are one program, after the blocks that say `setup`, which begin every example.
 */
const GUIDES_FOLDER = path.resolve(import.meta.dirname, '../../container/contract/docs/guides');
const README = path.resolve(import.meta.dirname, '../../README.md');

export const LANGUAGES = ['sh', 'ts', 'python'] as const;
export type Language = (typeof LANGUAGES)[number];

export interface Block {
  readonly guide: string;
  readonly language: string;
  readonly code: string;
  /** What stands after the language: `setup`, `repository` (it is run in the bridge's), or why it is not run. */
  readonly setup: boolean;
  readonly repository: boolean;
  readonly notRun: string | undefined;
  readonly output: string | undefined;
}

const FENCE = /^```(\w+)(?: ([^\n]*))?\n([\s\S]*?)^```$(?:\n+^```output\n([\s\S]*?)^```$)?/gm;

/** Every fenced block of a text. */
export const blocksOf = (guide: string, markdown: string): readonly Block[] =>
  [...markdown.matchAll(FENCE)].map(([, language = '', info = '', code = '', output]) => ({
    guide,
    language,
    code,
    setup: info === 'setup',
    repository: info === 'repository',
    notRun: /^not-run="([^"]+)"$/.exec(info)?.[1],
    output,
  }));

/** Where the guides and, after them, the README are. */
export const guideFiles = (): readonly string[] => [
  ...readdirSync(GUIDES_FOLDER)
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => path.join(GUIDES_FOLDER, name)),
  README,
];

export const guideBlocks = (): readonly Block[] =>
  guideFiles().flatMap((file) => blocksOf(path.basename(file, '.md'), readFileSync(file, 'utf8')));

export interface Program {
  readonly guide: string;
  readonly blocks: readonly Block[];
  readonly text: string;
}

/** Between the outputs of two blocks. */
const BETWEEN = '\u001e';
const SEPARATOR: Readonly<Record<Language, string>> = {
  sh: String.raw`printf '\036'`,
  ts: String.raw`process.stdout.write('\x1e');`,
  python: String.raw`print(end="\x1e", flush=True)`,
};
const BEGINNING: Readonly<Record<Language, string>> = { sh: 'set -eu', ts: '', python: '' };

/** One program a guide, in the order of the guides. */
export function programs(language: Language): readonly Program[] {
  const all = guideBlocks().filter((block) => block.language === language && block.notRun === undefined);
  const setup = all.filter((block) => block.setup).map(({ code }) => code);
  const guides = [...new Set(all.map(({ guide }) => guide))];
  return guides.map((guide) => {
    const blocks = all.filter((block) => block.guide === guide && !block.setup);
    const parts = blocks.map(({ code }) => `${code}${SEPARATOR[language]}\n`);
    return { guide, blocks, text: [BEGINNING[language], ...setup, ...parts].join('\n') };
  });
}

/** What a program printed otherwise than its guide says. */
export function mismatches({ blocks }: Program, stdout: string): readonly { expected: string; printed: string }[] {
  const printed = stdout.split(BETWEEN);
  return blocks.flatMap(({ output }, at) => {
    const actual = printed[at]?.trim() ?? 'nothing';
    return output === undefined || fits(output.trim(), actual) ? [] : [{ expected: output, printed: actual }];
  });
}

export function fits(expected: string, actual: string): boolean {
  const escaped = expected.split('…').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
  return new RegExp(`^${escaped.join('[^]*?')}$`).test(actual);
}
