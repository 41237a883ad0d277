import { benchMain } from './bench-main.ts';

process.exitCode = await benchMain(process.argv.slice(2));
