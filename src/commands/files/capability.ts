/** The extended attribute that holds the capabilities of a file. */
export const CAPABILITY = 'security.capability';

/** In the order of their bits. capabilities(7), linux/capability.h */
const NAMES =
  'chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore'.split(
    ' ',
  );

/** Length of the value of each revision: `struct vfs_cap_data`, of revision 3 with the user ID of a namespace's root. */
const LENGTHS: Readonly<Record<number, number>> = { 1: 12, 2: 20, 3: 24 };

/** The effective bit of the first word; the revision is in its highest byte. */
const EFFECTIVE = 1;

/**
 * What the value of `security.capability` allows, as getcap(8) prints it: `cap_net_raw=ep`.
 * @returns null for what is no such value
 */
export function capabilityText(value: Uint8Array): string | null {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  const head = value.length >= 4 ? view.getUint32(0, true) : 0;
  const revision = head >>> 24;
  if (value.length !== LENGTHS[revision]) return null;
  const words = revision === 1 ? 1 : 2;
  const letters = new Map<string, string[]>();
  for (let bit = 0; bit < 32 * words; bit++) {
    const at = 4 + 8 * (bit >>> 5);
    const has = (offset: number) => (view.getUint32(at + offset, true) >>> (bit & 31)) & 1;
    const flags =
      (head & EFFECTIVE && (has(0) || has(4)) ? 'e' : '') + (has(4) ? 'i' : '') + (has(0) ? 'p' : '');
    if (flags === '') continue;
    const alike = letters.get(flags) ?? [];
    letters.set(flags, [...alike, `cap_${NAMES[bit] ?? bit}`]);
  }
  const sets = [...letters].map(([flags, names]) => `${names.join(',')}=${flags}`);
  const root = revision === 3 ? ` [rootid=${view.getUint32(20, true)}]` : '';
  return (sets.join(' ') || '=') + root;
}
