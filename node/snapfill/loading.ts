/** Where the native half is found. */

import type { Native } from './native.js';

interface Manifest {
  readonly version: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** The package that has the native half for systems like this one. */
const PACKAGE = `snapfill-${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}`;

/** What was built in a checkout, and what npm installed beside this package. */
const PLACES = ['../snapfill.node', PACKAGE];

/** The native half. Where there is none, an error says what was looked for and what to install. */
export function load(): Native {
  const found = PLACES.find(isThere);
  if (found === undefined) {
    throw new Error(missing());
  }
  try {
    return require(found) as Native;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the native half of snapfill in ${found} cannot be loaded on ${system()}: ${why}`, { cause });
  }
}

function isThere(place: string): boolean {
  try {
    require.resolve(place);
    return true;
  } catch {
    return false;
  }
}

function missing(): string {
  const { version, optionalDependencies } = require('../package.json') as Manifest;
  const offered = Object.keys(optionalDependencies ?? {});
  const nothing = `snapfill found no native half for ${system()}: neither ${PLACES.join(' nor ')} is there.`;
  return !offered.includes(PACKAGE) && offered.length > 0
    ? `${nothing} Version ${version} has one in ${offered.join(', ')} alone.`
    : `${nothing} Install it, of this version: npm install ${PACKAGE}@${version}` +
        ' (npm leaves it out with --omit=optional, and where node_modules was made on another system).';
}

/** This system, as far as a library must fit it. */
function system(): string {
  const name = `${process.platform} ${process.arch}`;
  if (process.platform !== 'linux') {
    return name;
  }
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  const glibc = header.glibcVersionRuntime;
  return glibc === undefined ? `${name} without glibc` : `${name} with glibc ${glibc}`;
}
