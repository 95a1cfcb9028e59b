/** Whether a file is called as image archives are, whatever it is. */
export const isArchiveName = (name: string): boolean =>
  /\.(tar(\.\w{1,5})?|tgz|tzst|txz|tbz2?|zip|oci|dockerbuild)$/i.test(name);

/** Whether a name says that the file is a tar, packed or not, or a zip; `app.tar.sig` is neither. */
export const isTarOrZipName = (name: string): boolean =>
  /\.(tar(\.(gz|bz2|xz|zstd?))?|tgz|tzst|txz|tbz2?|zip)$/i.test(name);
