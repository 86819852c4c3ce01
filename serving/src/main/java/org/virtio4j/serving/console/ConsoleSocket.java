// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.console;

import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.endpoint.ConsoleTerminal;
import org.virtio4j.endpoint.VirtioConsole;

/**
 * A Unix socket at which a user attaches to a console, with {@code socat -,rawer UNIX-CONNECT:FILE} for example. One
 * client at a time; a second one is told so and sent away. While nobody is there, the guest goes on, and the last 64
 * KiB that it says are for the next client. A client that is slow makes the guest wait.
 *
 * <p>One thread serves the socket. What the guest puts out is written by the console's thread.
 */
public final class ConsoleSocket implements ConsoleTerminal {

    private static final int BACKLOG = 1 << 16;
    private static final int PIECE = 1 << 12;

    private final Path file;
    private final ServerSocketChannel server;
    private final Selector selector;
    private final VirtioConsole console = new VirtioConsole(this);
    private final Thread thread;
    private final int columns;
    private final int rows;

    /** Guards what follows; never held while somebody waits. */
    private final ReentrantLock lock = new ReentrantLock();
    private final Backlog backlog = new Backlog(BACKLOG);

    /** Changed by the socket's thread alone. */
    private @Nullable SocketChannel client;

    /** Whether the client must take bytes before there can be more; whether it cannot be written to any more. */
    private boolean blocked;
    private boolean gone;

    /** What the client has typed and the console has not taken. The socket's thread alone. */
    private final ByteBuffer typed = ByteBuffer.allocateDirect(PIECE).flip();

    private ConsoleSocket(Path file, int columns, int rows) throws IOException {
        this.file = file;
        this.columns = columns;
        this.rows = rows;
        selector = Selector.open();
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        thread = new Thread(this::serve, "console " + file.getFileName());
    }

    /**
     * Makes a console, and a socket for it.
     *
     * @param file    of the socket; that of a server that has ended is replaced
     * @param columns characters in a row
     * @param rows    how many
     * @return the console, which belongs to the caller; closing it ends the socket
     * @throws IOException if something else is there, or a client can be served there already
     */
    public static VirtioConsole serve(Path file, int columns, int rows) throws IOException {
        return start(file, columns, rows).console;
    }

    static ConsoleSocket start(Path file, int columns, int rows) throws IOException {
        ConsoleSocket socket = new ConsoleSocket(file, columns, rows);
        try {
            socket.open();
        } catch (IOException refused) {
            socket.discard();
            String reason = String.valueOf(refused.getMessage());
            throw reason.contains(file.toString()) ? refused : new IOException(file + ": " + reason, refused);
        } catch (RuntimeException refused) {
            socket.discard();
            throw refused;
        }
        socket.console.resize(columns, rows);
        socket.thread.start();
        return socket;
    }

    private void discard() throws IOException {
        server.close();
        selector.close();
    }

    VirtioConsole console() {
        return console;
    }

    @Override
    public void write(ByteBuffer bytes) {
        lock.lock();
        try {
            SocketChannel to = client;
            if (to == null || gone) {
                backlog.add(bytes);
            } else {
                write(to, bytes);
            }
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void inputTaken() {
        selector.wakeup();
    }

    @Override
    public void closed() {
        try {
            selector.close();
            thread.join();
            detach();
            server.close();
            Files.deleteIfExists(file);
        } catch (IOException leftBehind) {
            // The file stays, and the next server replaces it.
        } catch (InterruptedException unexpected) {
            Thread.currentThread().interrupt();
        }
    }

    private void open() throws IOException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(file);
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            removeOld(address);
        }
        server.bind(address);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        server.configureBlocking(false);
        server.register(selector, SelectionKey.OP_ACCEPT);
    }

    private void removeOld(UnixDomainSocketAddress address) throws IOException {
        if (!Files.readAttributes(file, "isOther", LinkOption.NOFOLLOW_LINKS).containsValue(true)) {
            throw new IOException(file + ": expected none, or a socket of an earlier server, found something else");
        }
        try {
            SocketChannel.open(address).close();
        } catch (ConnectException nobody) {
            Files.delete(file);
            return;
        }
        throw new IOException(file + ": expected none, found a socket at which another process serves");
    }

    /** Under the lock. Leaves bytes if the client is slow; the socket's thread goes on then. */
    private void write(SocketChannel to, ByteBuffer bytes) {
        try {
            backlog.writeTo(to);
            if (backlog.isEmpty()) {
                to.write(bytes);
            }
            blocked |= bytes.hasRemaining();
        } catch (IOException lost) {
            // The socket's thread closes it. What the client has not got is for the next one.
            gone = true;
            backlog.add(bytes);
        }
        if (blocked || gone) {
            selector.wakeup();
        }
    }

    // The socket's thread

    private void serve() {
        while (selector.isOpen()) {
            try {
                selector.select(this::serve);
                goOn();
            } catch (IOException | RuntimeException trouble) {
                // Also when the selector was closed; the client is told by the end of its connection.
                detach();
            }
        }
    }

    private void serve(SelectionKey key) {
        try {
            if (key.isAcceptable()) {
                accept();
            } else {
                if (key.isWritable()) {
                    writeBacklog((SocketChannel) key.channel());
                }
                if (key.isReadable()) {
                    read((SocketChannel) key.channel());
                }
            }
        } catch (IOException lost) {
            detach();
        }
    }

    /** One that has left by itself meanwhile is no trouble of the client that is there. */
    private static void refuse(SocketChannel second) {
        try (second) {
            second.write(ByteBuffer.wrap("This console is in use.\r\n".getBytes(StandardCharsets.US_ASCII)));
        } catch (IOException left) {
            // Nobody is to be told.
        }
    }

    private void accept() throws IOException {
        SocketChannel next = server.accept();
        if (next == null) {
            return;
        }
        if (client != null) {
            refuse(next);
            return;
        }
        next.configureBlocking(false);
        next.register(selector, SelectionKey.OP_READ);
        lock.lock();
        try {
            client = next;
            blocked = !backlog.isEmpty();
        } finally {
            lock.unlock();
        }
        // Linux with one port reads the size when it is told of a change, and not when it finds the console.
        console.resize(columns, rows);
    }

    private void writeBacklog(SocketChannel to) throws IOException {
        lock.lock();
        try {
            backlog.writeTo(to);
            blocked = !backlog.isEmpty();
        } finally {
            lock.unlock();
        }
        console.outputReady();
    }

    private void read(SocketChannel from) throws IOException {
        int read = from.read(typed.clear());
        typed.flip();
        if (read < 0) {
            detach();
        }
    }

    /** Hands on what was typed, and says what the client's channel is waited for next. */
    private void goOn() {
        console.input(typed);
        SocketChannel attached = client;
        if (attached == null) {
            return;
        }
        int writing = interest();
        if (writing < 0) {
            detach();
        } else {
            attached.keyFor(selector).interestOps(writing | (typed.hasRemaining() ? 0 : SelectionKey.OP_READ));
        }
    }

    /** Whether the client must be waited for before it is written to; below 0 if it has gone. */
    private int interest() {
        lock.lock();
        try {
            return gone ? -1 : blocked ? SelectionKey.OP_WRITE : 0;
        } finally {
            lock.unlock();
        }
    }

    private @Nullable SocketChannel forget() {
        lock.lock();
        try {
            SocketChannel last = client;
            client = null;
            blocked = false;
            gone = false;
            return last;
        } finally {
            lock.unlock();
        }
    }

    private void detach() {
        SocketChannel last = forget();
        if (last != null) {
            try {
                last.close();
            } catch (IOException closed) {
                // It is gone all the same.
            }
            console.outputReady();
        }
    }
}
