// Before `npm start`: builds what has changed. Without the compiler, which `npm prune` may have removed, it starts what
// `npm run build:package` built.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

if (existsSync('node_modules/typescript')) {
  process.exitCode =
    spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' }).status ?? 1;
} else if (!existsSync('dist/src/main.js') || !existsSync('dist/node_modules/lmdb')) {
  console.error('forebay: not built, and the compiler is not installed: type npm ci');
  process.exitCode = 1;
}
