// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.socket;

import java.util.Set;
import org.virtio4j.os.IoVector;

/**
 * Structures and numbers of Linux's socket calls on x86-64 and aarch64, where they are the same. Offsets and sizes in
 * bytes; {@link IoVector} is the structure that {@code iovec} points to.
 *
 * <pre>
 *   struct msghdr   0 name *   8 name length   16 iovec *   24 iovecs   32 control *   40 control bytes   48 flags
 *   struct cmsghdr  0 bytes with this header   8 level   12 type   16 data ...
 *   sockaddr_un     0 family   2 path, ended by a NUL
 * </pre>
 */
final class SocketLayout {

    static final long MSG_IOV = 16;
    static final long MSG_IOVLEN = 24;
    static final long MSG_CONTROL = 32;
    static final long MSG_CONTROLLEN = 40;
    static final long MSG_FLAGS = 48;
    static final long MSG_SIZE = 56;

    static final long CMSG_LEN = 0;
    static final long CMSG_LEVEL = 8;
    static final long CMSG_TYPE = 12;
    static final long CMSG_DATA = 16;
    static final long CMSG_ALIGNMENT = 8;

    static final long SUN_FAMILY = 0;
    static final long SUN_PATH = 2;
    static final long SUN_SIZE = 110;

    static final int AF_UNIX = 1;
    static final int SOCK_STREAM = 1;
    static final int SOCK_CLOEXEC = 0x80000;
    static final int SOL_SOCKET = 1;
    static final int SCM_RIGHTS = 1;
    static final int MSG_CTRUNC = 0x8;
    static final int MSG_NOSIGNAL = 0x4000;
    static final int MSG_CMSG_CLOEXEC = 0x40000000;
    static final int SHUT_RDWR = 2;

    private SocketLayout() {
    }

    /** Whether this machine is one that the numbers are for. */
    static boolean isKnown() {
        return System.getProperty("os.name").equals("Linux")
                && Set.of("amd64", "x86_64", "aarch64").contains(System.getProperty("os.arch"));
    }
}
