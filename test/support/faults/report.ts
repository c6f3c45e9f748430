import { type Fault, type FaultGroup } from './fault.ts';

/** What vitest's reporter `json` writes, as far as it is looked at. */
export interface RunReport {
  readonly testResults: readonly {
    /** Path of the file. */
    readonly name: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
    }[];
  }[];
}

export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  /** What a machine lacks for them is said by their names. */
  readonly skipped: number;
}

/** Titles of the run that a name of the source stands for: `${…}`, `$name` and `%s` are anything. */
function patternOf(name: string): RegExp {
  const parts = name.split(/\$\{[^}]*\}|\$\w+|%[sdijfop]/);
  return new RegExp(`^${parts.map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)).join('[^]*')}$`);
}

/** Whether a test or a group of tests of this name stands in a source. */
export const isNamedIn = (source: string, name: string): boolean =>
  ["'", '"', '`'].some((quote) => source.includes(`${quote}${name}${quote}`));

/** What became of the tests of that name in the file `test/<file>.test.ts`. */
export function outcomeOf(report: RunReport, file: string, name: string): Outcome {
  const pattern = patternOf(name);
  const statuses = report.testResults
    .filter(({ name: path }) => path.endsWith(`/test/${file}.test.ts`))
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ title, ancestorTitles }) => [title, ...ancestorTitles].some((each) => pattern.test(each)))
    .map(({ status }) => status);
  const count = (of: string): number => statuses.filter((status) => status === of).length;
  const [passed, failed] = [count('passed'), count('failed')];
  return { passed, failed, skipped: statuses.length - passed - failed };
}

const testsOf = (fault: Fault): readonly (readonly [file: string, name: string])[] =>
  Object.entries(fault.shownBy).flatMap(([file, names]) => names.map((name) => [file, name] as const));

/** What is wrong with a run, in words; none = every fault is shown. */
export function shortcomings(faults: readonly Fault[], report: RunReport): readonly string[] {
  return faults.flatMap((fault) => {
    const outcomes = testsOf(fault).map(([file, name]) => ({ file, name, ...outcomeOf(report, file, name) }));
    const wrong = outcomes.flatMap(({ file, name, passed, failed, skipped }) => {
      if (failed > 0) return [`${fault.id}: ${failed} failed: ${file}: ${name}`];
      return passed + skipped === 0 ? [`${fault.id}: did not run: ${file}: ${name}`] : [];
    });
    const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
    return wrong.length === 0 && passed === 0 ? [`${fault.id}: no test of it passed`] : wrong;
  });
}

const cell = (text: string): string => text.replaceAll(/[|<*_]/g, String.raw`\$&`);
const HEAD = [
  '# Faults and bad inputs, and the tests that show what holds',
  '',
  'Made by `npm run faults` from a run of the tests; the list is [`support/faults`](support/faults). The last column counts the tests that passed.',
];

/** The table as Markdown. */
export function faultsPage(groups: readonly FaultGroup[], report: RunReport): string {
  const row = (fault: Fault): string => {
    const tests = testsOf(fault);
    const links = tests.map(([file, name]) => `[${file}](${file}.test.ts): ${cell(name)}`);
    const codes = (fault.codes ?? []).map((code) => `\`${code}\``).join(' ');
    const passed = tests.reduce((sum, [file, name]) => sum + outcomeOf(report, file, name).passed, 0);
    const cells = [
      fault.id,
      fault.fault.replaceAll('|', String.raw`\|`),
      fault.holds,
      codes,
      links.join('<br>'),
      passed,
    ];
    return `| ${cells.join(' | ')} |`;
  };
  const sections = groups.flatMap(({ title, faults }) => [
    '',
    `## ${title}`,
    '',
    '| # | fault | what holds | told as | shown by | passed |',
    '|---|---|---|---|---|---|',
    ...faults.map(row),
  ]);
  return `${[...HEAD, ...sections].join('\n')}\n`;
}

/** A page without what only a run knows. */
export const withoutCounts = (page: string): string => page.replaceAll(/ \| \d+ \|$/gm, ' | |');
