import { createProgram } from './program.ts';
import { reportFault } from './report-fault.ts';

/** The reader of a pipe may leave early, as `head` does; that is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

try {
  await createProgram().parseAsync();
} catch (thrown) {
  process.exitCode = reportFault(thrown);
}
