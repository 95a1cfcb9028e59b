// Writes members as files of a real directory, as far as a file system can hold them.
import { linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Piece } from './piece.js';

/** Links to folders come last: files below their names are written before, into the folders that they lead to. */
export function placePieces(pieces: readonly Piece[], folder: string): void {
  mkdirSync(folder, { recursive: true });
  const later = ({ flag }: Piece) => flag === '1' || flag === '2';
  for (const piece of [...pieces.filter(p => !later(p)), ...pieces.filter(later)]) {
    const path = join(folder, piece.path);
    if (path.startsWith(`${folder}/`)) place(piece, path, folder);
  }
}

function place({ path: name, body, flag, link = '' }: Piece, path: string, folder: string): void {
  if (name.endsWith('/')) {
    mkdirSync(path, { recursive: true });
    return;
  }
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { recursive: true, force: true });
  if (flag === '2') symlinkSync(link, path);
  else if (flag === '1') linkSync(join(folder, link), path);
  else writeFileSync(path, body);
}
