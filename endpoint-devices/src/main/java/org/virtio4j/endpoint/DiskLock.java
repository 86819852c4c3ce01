// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

/**
 * Whether a {@link VirtioBlock} keeps others from its file: no two may write it, and nobody may write it while another
 * reads it. Other processes are kept away by the locks that QEMU and its tools use, so that those keep this process
 * away, too. Disks of this process are told by device and inode, so two names of one file do not help.
 *
 * <p>The locks are advice: who does not ask for them is not kept away. A block device is locked by its name in the file
 * system, as QEMU does it; for another process a second node of the same device is another one.
 */
public enum DiskLock {
    /**
     * Locks, but goes on without a lock if others cannot be kept away, because the file system has no locks or native
     * calls are not allowed ({@code --enable-native-access=org.virtio4j.os}). {@link VirtioBlock#lockNotice} says so
     * then. Disks of this process are kept away in any case.
     */
    AUTO,
    /** Locks, or refuses to make the disk. */
    ON,
    /**
     * Keeps no other process away, and does not look whether one is there. For files that are known to be safe to
     * share.
     */
    OFF
}
