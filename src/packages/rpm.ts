import { berkeleyHashValues } from './berkeley-hash.js';
import { type DatabaseReading, FileList, type Package } from './package.js';
import type { Records } from './records.js';
import { rpmPackage } from './rpm-header.js';
import { ndbRecords } from './rpm-ndb.js';
import { sqliteBlobs } from './sqlite.js';

/**
 * Forms of rpm's database, the newest first. One that was converted may have left an older one beside it, which rpm then does
 * not read. rpm lib/backend/dbi.c
 */
export const RPM_FORMS = ['rpmdb.sqlite', 'Packages.db', 'Packages'] as const;

export type RpmForm = (typeof RPM_FORMS)[number];

/** @param wal  the write-ahead log of an `rpmdb.sqlite` */
export function rpmPackages(database: Uint8Array, form: RpmForm, wal: Uint8Array | null): DatabaseReading {
  const { values, problems } = recordsOf(database, form, wal);
  const list = new FileList();
  const packages: Package[] = [];
  const damaged = new Set<string>();
  for (const value of values) {
    const entry = rpmPackage(value, list);
    if (entry === null) damaged.add('a header is damaged');
    else packages.push(entry);
  }
  return { packages, problems: [...problems, ...damaged, ...list.problems()] };
}

function recordsOf(database: Uint8Array, form: RpmForm, wal: Uint8Array | null): Records {
  if (form === 'rpmdb.sqlite') return sqliteBlobs(database, wal, 'Packages');
  return form === 'Packages.db' ? ndbRecords(database) : berkeleyHashValues(database, isCounter);
}

/** Under key 0 is the last key that was given away, no header. rpm lib/backend/db3.c */
const isCounter = (key: Uint8Array) => key.every(byte => byte === 0);
