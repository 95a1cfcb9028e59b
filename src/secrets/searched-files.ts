import { isDotenv, readersOf } from './credential-files.js';

/**
 * How a file is searched. `text` for keys and tokens that tell by themselves what they are; `settings` for passwords in
 * URLs and connection strings as well; `credentials` by what its name says of it, too.
 */
export type Manner = 'text' | 'settings' | 'credentials';

/** Extensions of files that are not searched: programs, media, archives, fonts, indexes, translations. */
const BINARY = new Set(
  `a abw apk aps ar avi avif bin bmp br bz2 cab cat chm class cpio crl dat db deb dll dylib elc eot exe fnt gif gmo gresource gz ico
  icns idx img iso jar jpeg jpg jsa ko la lib lz lz4 lzma mid mkv mo mod mov mp3 mp4 msi mpg nib o obj odt ogg otf pack pak pcf pdb
  pdf pfa pfb pkl png ppt psd pyc pyd pyo qm rlib rpm rds rmeta so svgz swf sym tar tbz tcache tdb tfm tgz tif tiff ttc ttf txz vf
  wasm wav webm webp whl woff woff2 xcf xls xz z zip zst sqlite sqlite3 nupkg snap squashfs ipk tflite npy npz h5 parquet onnx pt
  safetensors gguf`.split(/\s+/),
);

/** Settings by the end of their name. */
const SETTINGS = new Set(
  `bash bat cfg cnf conf config credentials cmd env ini json json5 jsonc key list local netrc openrc pem plist ppk properties ps1
  rc repo secret secrets service sh sources sql tf tfstate tfvars toml xml yaml yml zsh`.split(/\s+/),
);

/** A private key by its name. */
const KEY_FILE =
  /^(?:id_[a-z0-9_-]{2,20}|identity|ssh_host_[a-z0-9]{2,10}_key)$|\.(?:pem|key|ppk|pk8|p8|asc|gpg|priv)$/;

/** Directories of packages of languages: their content was published, and is not the image's own. */
const PUBLISHED =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|gems|bower_components|vendor|vendored|third_party|lib\/(?:python|ruby|perl|jvm|erlang|ghc|R|go)[\w.-]*|share\/perl5?|go\/pkg\/mod|local\/go|share\/go[\w.-]*|\.cargo\/registry|\.rustup|\.m2\/repository)\//;

/** Directories of packages of distributions. */
const DISTRIBUTED =
  /^(?:usr\/(?:lib|lib32|lib64|libx32|libexec|share|include|src)|lib|lib64|usr\/local\/(?:lib|share|include)|var\/lib\/(?:dpkg|apt|rpm|pacman|ucf)|var\/cache\/(?:apt|dnf|yum|man))\//;

/** Directories of packages that only hold documentation: no file in them is searched. */
const DOCUMENTATION =
  /^(?:usr\/(?:local\/)?share\/(?:doc|man|info|locale|i18n|zoneinfo|licenses|help|gtk-doc|icons|fonts|mime|vim|emacs|terminfo|lintian|bug|X11)\/|var\/lib\/(?:dpkg|apt|rpm|pacman)\/|lib\/apk\/|usr\/lib\/apk\/)/;

/** Directories in packages with keys that are published on purpose. */
const TESTS =
  /(?:^|\/)(?:docs?|tests?|testing|testdata|test[_-]data|testsuite|__tests__|specs?|fixtures?|__fixtures__|mocks?|__mocks__|examples?|samples?|demos?|dummyserver|benchmarks?)\//i;

/** The longest path that is looked at; a longer one has no honest use. */
const PATH_MAX = 4096;

/**
 * How a file is searched for secrets, by its path; null where it is not. A file of a package, of a distribution or of a
 * language, is searched only where its name is that of settings or of credentials, and never among documentation,
 * examples and tests.
 *
 * @param path  in the image, without a leading slash
 */
export function mannerFor(path: string): Manner | null {
  if (path.length > PATH_MAX) return null;
  const slash = path.lastIndexOf('/');
  const base = path.slice(slash + 1).toLowerCase();
  const dot = base.lastIndexOf('.');
  const extension = dot < 0 ? '' : base.slice(dot + 1);
  if (BINARY.has(extension) || /\.so\.[\d.]+$/.test(base)) return null;
  const isPublished = PUBLISHED.test(path);
  const isDistributed = DISTRIBUTED.test(path);
  if ((isPublished || isDistributed) && (DOCUMENTATION.test(path) || TESTS.test(path))) return null;
  const isNamed = readersOf(path.toLowerCase(), base).length > 0;
  if (isPublished) return (isNamed && !isDotenv(base)) || KEY_FILE.test(base) ? 'credentials' : null;
  if (isNamed) return 'credentials';
  const isSettings =
    extension === '' || dot === 0 || SETTINGS.has(extension) || KEY_FILE.test(base) || /\.d\//.test(path);
  if (isSettings) return 'settings';
  return isDistributed ? null : 'text';
}

/**
 * First bytes of what has no text: programs of Linux, Windows, macOS and Java, archives, images, WebAssembly, git's
 * packs.
 */
const MAGICS: readonly string[] = [
  '\x7fELF',
  'MZ',
  '!<arch>\n',
  '\xca\xfe\xba\xbe',
  '\xcf\xfa\xed\xfe',
  '\xfe\xed\xfa',
  'PK\x03\x04',
  '\x1f\x8b',
  'BZh',
  '\xfd7zXZ\0',
  '\x28\xb5\x2f\xfd',
  '\x89PNG',
  'GIF8',
  '\xff\xd8\xff',
  '%PDF-',
  '\0asm',
  'SQLite format 3\0',
  'PACK\0',
  '\xde\x12\x04\x95',
];
const FIRST_BYTES = new Set(MAGICS.map(magic => magic.charCodeAt(0)));

/** Bytes from which it is told whether a file is text. */
export const HEAD = 512;

/** Whether a file is text, by its first bytes: no known form of anything else, and no NUL but in UTF-16. */
export function isText(head: Buffer): boolean {
  if (head.length === 0) return false;
  if (FIRST_BYTES.has(head[0]!)) {
    const start = head.toString('latin1', 0, 16);
    if (MAGICS.some(magic => start.startsWith(magic))) return false;
  }
  return isUtf16(head) || head.subarray(0, HEAD).indexOf(0) < 0;
}

/** By its byte order mark, as Windows writes text. */
export const isUtf16 = (head: Buffer): boolean =>
  head.length >= 2 && ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff));
