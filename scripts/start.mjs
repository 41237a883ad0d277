// npm start: a whole farm in one terminal.
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { ensureInstall } from './ensure-install.mjs';

ensureInstall();
build();

// In this very process, so that signals and the exit code need no passing on.
const command = new URL('../apps/cli/bin/embedfarm.js', import.meta.url);
process.argv.splice(1, 1, fileURLToPath(command), 'start');
await import(command.href);
