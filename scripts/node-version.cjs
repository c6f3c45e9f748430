// Required before every program that npm runs, and written so that any Node can read it.
var wanted = require('../package.json').engines.node;
var major = Number(process.versions.node.split('.')[0]);
if (major < Number(/\d+/.exec(wanted)[0])) {
  console.error(
    'Node ' +
      process.versions.node +
      ' is too old: this needs Node ' +
      wanted +
      '. `npm ci` brings one; start through npm.',
  );
  process.exit(1);
}
if (process.argv.indexOf('--help') >= 0) require('./program-help.cjs');
