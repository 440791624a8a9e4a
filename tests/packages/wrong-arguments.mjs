/** Wrong arguments are JavaScript's own errors, and say which argument it was. */

import assert from 'node:assert/strict';

import { Backfill, Repository } from 'snapfill';

const backfill = (options) => () => new Backfill({ target: 'a', ...options });
assert.throws(backfill({ reposiotry: 'b' }), { name: 'TypeError', message: /reposiotry/ });
assert.throws(backfill({ workers: 'many' }), { name: 'TypeError', message: /workers: expected a whole number/ });
assert.throws(backfill({ workers: -1 }), { name: 'RangeError', message: /workers/ });
assert.throws(() => new Repository(3), { name: 'TypeError', message: /expected a path or a URL, not 3/ });
assert.throws(() => new Repository('a').snapshot('b').documents({ index: 3 }), { name: 'TypeError', message: /index/ });
assert.throws(backfill({ types: 'mix' }), { code: 'CONFIG', message: /refuse, split, merge/ });
