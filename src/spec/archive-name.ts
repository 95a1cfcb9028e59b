/** Whether a file is called as image archives are, whatever it is. */
export const isArchiveName = (name: string): boolean =>
  /\.(tar(\.\w{1,5})?|tgz|tzst|txz|tbz2?|zip|oci|dockerbuild)$/i.test(name);
