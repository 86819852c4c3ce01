// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm.os;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/** A listening socket of {@code java.nio}, for programs that may make no native call. */
final class ChannelListener implements LocalListener {

    private static final int BACKLOG = 16;

    private final Path path;
    private final ServerSocketChannel channel;
    private final @Nullable Object identity;

    ChannelListener(Path path) throws IOException {
        this.path = path;
        this.channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            bind(path);
            this.identity = SocketFile.identity(path);
        } catch (IOException | RuntimeException refused) {
            channel.close();
            throw refused;
        }
    }

    @Override
    public LocalConnection accept() throws IOException {
        return new ChannelConnection(channel.accept());
    }

    @Override
    public void shutdown() {
        try {
            channel.close();
        } catch (IOException refused) {
            // The channel is closed all the same.
        }
        SocketFile.delete(path, identity);
    }

    @Override
    public void close() {
        shutdown();
    }

    /** In a folder that nobody else can enter, and moved when its mode is set: others never find it open to them. */
    private void bind(Path wanted) throws IOException {
        Path absolute = wanted.toAbsolutePath();
        Path folder = Files.createTempDirectory(absolute.getParent(), ".s");
        Path file = folder.resolve("s");
        try {
            channel.bind(UnixDomainSocketAddress.of(file), BACKLOG);
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
            Files.move(file, absolute, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(file);
            Files.deleteIfExists(folder);
        }
    }
}
