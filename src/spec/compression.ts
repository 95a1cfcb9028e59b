/** The compressions a layer or a whole archive may arrive in. Known by magic bytes, never by name or media type. */
export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';
