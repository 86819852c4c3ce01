// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.socket;

import java.io.IOException;
import java.nio.file.Path;
import org.virtio4j.os.NativeCall;

/**
 * Where Unix stream sockets come from: native ones, which can take descriptors, or those of {@code java.nio}, where the
 * system drops every descriptor on the way.
 */
public final class LocalSockets {

    private LocalSockets() {
    }

    /**
     * Whether sockets can take descriptors here.
     *
     * @return true on Linux on x86-64 and aarch64, when the module may call native code
     */
    public static boolean takeDescriptors() {
        return NativeCall.available() && SocketLayout.isKnown();
    }

    /**
     * Listens at a path, for this user alone (mode 0600). A socket that an ended process left there is replaced.
     *
     * @param path            where the socket's file is to be
     * @param takeDescriptors whether descriptors are wanted; needs {@link #takeDescriptors()}
     * @return the listening socket
     * @throws IOException if the system refuses, a process listens there already, or something else is there
     */
    public static LocalListener listen(Path path, boolean takeDescriptors) throws IOException {
        SocketFile.makeRoom(path);
        return takeDescriptors ? new NativeListener(path) : new ChannelListener(path);
    }
}
