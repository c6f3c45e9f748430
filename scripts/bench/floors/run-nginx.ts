/** Starts nginx with the given configuration and ends it with this process. */
import { spawn } from 'node:child_process';

const child = spawn('nginx', ['-c', process.argv[2] ?? ''], { stdio: ['ignore', 'inherit', 'inherit'] });
child.once('exit', (code) => process.exit(code ?? 1));
process.once('SIGTERM', () => child.kill('SIGTERM'));
setTimeout(() => console.log('started'), 300);
