// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.socket;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A listening socket of {@code java.nio}, for programs that may make no native call. An interrupt closes such a socket
 * while it is waited for; then it is opened again, and clients that were in line have to connect again.
 */
final class ChannelListener implements LocalListener {

    private static final int BACKLOG = 16;

    private final Path path;

    /** Guards what follows. */
    private final ReentrantLock lock = new ReentrantLock();
    private ServerSocketChannel channel;
    private Object identity;
    private boolean ended;

    ChannelListener(Path path) throws IOException {
        this.path = path;
        this.channel = bind(path);
        this.identity = SocketFile.identity(path);
    }

    @Override
    public LocalConnection accept() throws IOException {
        while (true) {
            // Nobody has a use for an interrupt of this thread; one that is left over would close the channel at once.
            Thread.interrupted();
            try {
                return new ChannelConnection(open().accept());
            } catch (ClosedByInterruptException interrupted) {
                // The next round opens another.
            }
        }
    }

    @Override
    public void shutdown() {
        lock.lock();
        try {
            ended = true;
            close(channel);
            SocketFile.delete(path, identity);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        shutdown();
    }

    /** The channel, or another in its place if an interrupt has closed it. */
    private ServerSocketChannel open() throws IOException {
        lock.lock();
        try {
            if (!channel.isOpen() && !ended) {
                SocketFile.makeRoom(path);
                channel = bind(path);
                identity = SocketFile.identity(path);
            }
            return channel;
        } finally {
            lock.unlock();
        }
    }

    /** In a folder that nobody else can enter, and moved when its mode is set: others never find it open to them. */
    private static ServerSocketChannel bind(Path wanted) throws IOException {
        Path absolute = wanted.toAbsolutePath();
        Path folder = Files.createTempDirectory(absolute.getParent(), ".s");
        Path file = folder.resolve("s");
        ServerSocketChannel bound = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            bound.bind(UnixDomainSocketAddress.of(file), BACKLOG);
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
            Files.move(file, absolute, StandardCopyOption.ATOMIC_MOVE);
            return bound;
        } catch (IOException | RuntimeException refused) {
            close(bound);
            throw refused;
        } finally {
            Files.deleteIfExists(file);
            Files.deleteIfExists(folder);
        }
    }

    private static void close(ServerSocketChannel closed) {
        try {
            closed.close();
        } catch (IOException refused) {
            // The channel is closed all the same.
        }
    }
}
