// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.socket;

import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The file of a listening socket: the one that an earlier process may have left, and the one that this process makes.
 */
final class SocketFile {

    private static final int MODE_TYPE = 0xf000;
    private static final int MODE_SOCKET = 0xc000;

    private SocketFile() {
    }

    /**
     * Makes room for a new socket: one that nobody listens at any more is deleted.
     *
     * @throws IOException if something else is there, or a process listens
     */
    static void makeRoom(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        int mode = (int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        if ((mode & MODE_TYPE) != MODE_SOCKET) {
            throw new IOException("path=" + path + " is there and is no socket; choose another, or delete it");
        }
        if (isServed(path)) {
            throw new IOException("path=" + path + " is served by another process; end that, or choose another path");
        }
        Files.deleteIfExists(path);
    }

    /** What tells this file from another that may come to the same path later. */
    static Object identity(Path path) throws IOException {
        return Objects.requireNonNull(Files.getAttribute(path, "unix:ino", LinkOption.NOFOLLOW_LINKS));
    }

    /** Deletes the file if it is still the one that this process made. */
    static void delete(Path path, @Nullable Object identity) {
        try {
            if (identity != null && identity.equals(identity(path))) {
                Files.deleteIfExists(path);
            }
        } catch (NoSuchFileException alreadyGone) {
            // Somebody tidied up.
        } catch (IOException refused) {
            // A file that stays is found stale by the next server.
        }
    }

    /** A connection that is not refused, at once or by a full line of others, has somebody at its other end. */
    private static boolean isServed(Path path) throws IOException {
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.configureBlocking(false);
            probe.connect(UnixDomainSocketAddress.of(path));
            return true;
        } catch (ConnectException refused) {
            return false;
        } catch (SocketException full) {
            return true;
        }
    }
}
