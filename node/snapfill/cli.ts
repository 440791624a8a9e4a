#!/usr/bin/env node
/** `npx snapfill`: the command line. */

import { native } from './native.js';

process.exitCode = native.runCommandLine(process.execPath, [__filename], ['snapfill', ...process.argv.slice(2)]);
