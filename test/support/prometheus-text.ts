/** A reader of Prometheus' text format, as strict as its description. */

export interface PrometheusSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = String.raw`${NAME}="(?:[^"\\\n]|\\["\\n])*"`;
const SAMPLE = new RegExp(
  String.raw`^(${NAME})(?:\{(${LABEL}(?:,${LABEL})*)\})? (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN)$`,
);

/** @throws Error naming the line that is not of the format, or a metric that is not declared exactly once before it */
export function samplesOf(text: string): PrometheusSample[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const types = new Map<string, string>();
  const samples: PrometheusSample[] = [];
  for (const line of text.slice(0, -1).split('\n')) {
    const [, declared = '', type = ''] = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`).exec(line) ?? [];
    if (declared !== '') {
      if (types.has(declared)) throw new Error(`declared twice: ${declared}`);
      types.set(declared, type);
    } else if (!line.startsWith('# HELP ')) samples.push(sampleOf(line, types));
  }
  return samples;
}

function sampleOf(line: string, types: ReadonlyMap<string, string>): PrometheusSample {
  const [, name = '', labels = '', value] = SAMPLE.exec(line) ?? [];
  if (name === '') throw new Error(`not a sample: ${line}`);
  const family = types.has(name) ? name : name.replace(/_(?:bucket|sum|count)$/, '');
  if (!types.has(family) || (family !== name && types.get(family) !== 'histogram'))
    throw new Error(`not declared: ${name}`);
  const pairs = [...labels.matchAll(new RegExp(String.raw`(${NAME})="((?:[^"\\]|\\.)*)"`, 'g'))];
  return {
    name,
    labels: Object.fromEntries(pairs.map(([, label = '', text = '']) => [label, unescaped(text)])),
    value: Number(value),
  };
}

const unescaped = (text: string): string => text.replaceAll(/\\(.)/g, (_, one: string) => (one === 'n' ? '\n' : one));
