// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm.os;

/** Names of the error numbers that our native calls can give, so that a message says ENOMEM and not 12. */
final class Errno {

    private Errno() {
    }

    static String name(int errno) {
        return switch (errno) {
            case 1 -> "EPERM (operation not permitted)";
            case 11 -> "EAGAIN (locked memory or too much of it)";
            case 12 -> "ENOMEM (not enough memory or address space)";
            case 13 -> "EACCES (permission denied)";
            case 22 -> "EINVAL (invalid argument)";
            case 23 -> "ENFILE (too many open files in the system)";
            default -> "errno " + errno;
        };
    }
}
