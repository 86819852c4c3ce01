// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.os.socket;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.virtio4j.os.Errno;
import org.virtio4j.os.NativeCall;
import org.virtio4j.os.NativeFailureException;

/** A listening socket of the operating system. */
final class NativeListener implements LocalListener {

    private static final int OWNER_ONLY = 0600;
    private static final int BACKLOG = 16;

    private final Path path;
    private final NativeSocket socket;
    private @Nullable Object identity;

    NativeListener(Path path) throws IOException {
        this.path = path;
        this.socket = new NativeSocket(open());
        try {
            bind(path);
            this.identity = SocketFile.identity(path);
            listen();
        } catch (IOException | RuntimeException refused) {
            close();
            throw refused;
        }
    }

    @Override
    public LocalConnection accept() throws IOException {
        while (true) {
            try {
                return new NativeConnection(new NativeSocket(acceptOnce()));
            } catch (NativeFailureException refused) {
                if (refused.errno() != Errno.EINTR) {
                    throw refused;
                }
            }
        }
    }

    @Override
    public void shutdown() {
        socket.shutdown();
        SocketFile.delete(path, identity);
    }

    @Override
    public void close() {
        shutdown();
        socket.close();
    }

    private static int open() throws IOException {
        try {
            return NativeSocket.Calls.check("socket", (int) NativeSocket.Calls.SOCKET.invokeExact(NativeCall.state(),
                    SocketLayout.AF_UNIX, SocketLayout.SOCK_STREAM | SocketLayout.SOCK_CLOEXEC, 0));
        } catch (IOException refused) {
            throw refused;
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
    }

    /** A socket's mode becomes that of its file, so there is no moment at which others could connect. */
    private void bind(Path path) throws IOException {
        byte[] name = path.toString().getBytes(StandardCharsets.UTF_8);
        if (name.length >= SocketLayout.SUN_SIZE - SocketLayout.SUN_PATH) {
            throw new IOException("path=" + path + " has " + name.length
                    + " bytes, but the path of a socket has at most 107; choose a shorter one");
        }
        try (Arena call = Arena.ofConfined()) {
            MemorySegment address = call.allocate(SocketLayout.SUN_SIZE, Long.BYTES);
            address.set(ValueLayout.JAVA_SHORT, SocketLayout.SUN_FAMILY, (short) SocketLayout.AF_UNIX);
            MemorySegment.copy(name, 0, address, ValueLayout.JAVA_BYTE, SocketLayout.SUN_PATH, name.length);
            NativeSocket.Calls.check("fchmod of a socket", (int) NativeSocket.Calls.FCHMOD.invokeExact(
                    NativeCall.state(), socket.number(), OWNER_ONLY));
            NativeSocket.Calls.check("bind to " + path, (int) NativeSocket.Calls.BIND.invokeExact(NativeCall.state(),
                    socket.number(), address, (int) SocketLayout.SUN_SIZE));
        } catch (IOException refused) {
            throw refused;
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
    }

    private void listen() throws IOException {
        try {
            NativeSocket.Calls.check("listen at " + path,
                    (int) NativeSocket.Calls.LISTEN.invokeExact(NativeCall.state(), socket.number(), BACKLOG));
        } catch (IOException refused) {
            throw refused;
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
    }

    private int acceptOnce() throws NativeFailureException {
        try {
            return NativeSocket.Calls.check("accept at " + path, (int) NativeSocket.Calls.ACCEPT.invokeExact(
                    NativeCall.state(), socket.number(), MemorySegment.NULL, MemorySegment.NULL,
                    SocketLayout.SOCK_CLOEXEC));
        } catch (NativeFailureException refused) {
            throw refused;
        } catch (Throwable thrown) {
            throw NativeCall.impossible(thrown);
        }
    }
}
