// npm run bench: the engine and the farm under the same load. Other benches: npm run bench -- --help.
import { build } from './build.mjs';
import { ensureInstall } from './ensure-install.mjs';
import { runNode } from './run-tool.mjs';

ensureInstall();
build();
process.exitCode = runNode(['apps/bench/dist/main.js', ...process.argv.slice(2)]);
