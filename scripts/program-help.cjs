// `--help` of every program that has no table of flags of its own: what stands at the head of its file.
const { readFileSync } = require('node:fs');

const source = readFileSync(process.argv[1], 'utf8');
const head = /^\/\*\*([\s\S]*?)\*\//m.exec(source);
if (head && !source.includes("'--help'")) {
  const lines = head[1].split('\n').map((line) => line.replace(/^ ?\* ?/, '').trimEnd());
  console.log(lines.join('\n').trim().replaceAll('`', ''));
  process.exit(0);
}
