#!/usr/bin/env node
/** `npx snapfill`: the command line. */

import { native } from './native.js';

/** Node's own handlers send each signal again, which would meet the command line's for ever: leaves what the system does. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  const nothing = () => undefined;
  process.on(signal, nothing);
  process.off(signal, nothing);
}

process.exitCode = native.runCommandLine(process.execPath, [__filename], ['snapfill', ...process.argv.slice(2)]);
