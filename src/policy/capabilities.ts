/** The capabilities of a file, without `cap_`. */
export interface Capabilities {
  readonly permitted: readonly string[];
  readonly inheritable: readonly string[];
  /** Whether the process has those that are permitted in effect as it starts. */
  readonly effective: boolean;
}

/** By their bits. linux/capability.h */
const NAMES: readonly string[] = (
  'chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service ' +
  'net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin ' +
  'sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override ' +
  'mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore'
).split(' ');

const REVISIONS: Readonly<Record<number, { readonly words: number; readonly bytes: number }>> = {
  1: { words: 1, bytes: 12 },
  2: { words: 2, bytes: 20 },
  3: { words: 2, bytes: 24 },
};

/**
 * The value of the extended attribute security.capability: a revision with a flag, then for 32 capabilities each those
 * that are permitted and those that are inheritable, little-endian. linux/capability.h (struct vfs_ns_cap_data)
 * @returns null for what Linux does not take for one
 */
export function parseCapabilities(value: Uint8Array): Capabilities | null {
  if (value.length < 4) return null;
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  const magic = view.getUint32(0, true);
  const form = REVISIONS[magic >>> 24];
  if (form === undefined || value.length !== form.bytes) return null;
  const namesAt = (offset: number) =>
    Array.from({ length: form.words }, (_, word) =>
      bitsOf(view.getUint32(4 + 8 * word + offset, true), 32 * word),
    ).flat();
  return { permitted: namesAt(0), inheritable: namesAt(4), effective: (magic & 1) === 1 };
}

function bitsOf(word: number, first: number): string[] {
  return Array.from({ length: 32 }, (_, bit) => bit)
    .filter(bit => ((word >>> bit) & 1) === 1)
    .map(bit => NAMES[first + bit] ?? String(first + bit));
}
