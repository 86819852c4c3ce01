// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser.proxy;

import java.io.IOException;
import java.net.ConnectException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.virtio4j.vfiouser.Libc;

/**
 * Sits between a vfio-user client and a server, passes on what they say, descriptors included, and writes it down. One
 * client at a time, as the server has it; each gets a connection of its own to the server.
 */
public final class RegisterProxy implements AutoCloseable {

    private static final String USAGE = """
            Usage: vfio-user/register-proxy SOCKET SERVER [CHANGE...]

            Listens at SOCKET, connects each client to the vfio-user server at SERVER and prints a line for each
            register access and for each other request: seconds, what, where, the register's name, its value.
            A CHANGE is one argument:

              write device_status 2 becomes 3      a value of a register, by its name
              write bar4:0x14 becomes 3            any value of a register, by its place
              read config:0x100-0xfff becomes 0    each byte of a range

            Names are those that the lines have. Where a client reads a stretch of more than 8 bytes, only changes of
            a range count. Ends with Ctrl-C.
            """;

    private final Path path;
    private final Path server;
    private final Consumer<String> log;
    private final LongSupplier nanos;
    private final List<Change> changes;
    private final int listener;
    private final Thread thread;

    /**
     * Takes clients from now on.
     *
     * @param path    where nothing is yet
     * @param server  where the server listens, when a client comes
     * @param log     told of each line, on one of two threads but never on both at once
     * @param nanos   what time it is
     * @param changes in the order in which they are applied
     */
    public RegisterProxy(Path path, Path server, Consumer<String> log, LongSupplier nanos, List<Change> changes) {
        this.path = path;
        this.server = server;
        this.log = log;
        this.nanos = nanos;
        this.changes = changes;
        this.listener = Libc.listen(path);
        this.thread = Thread.ofPlatform().name("register proxy").start(this::accept);
    }

    /**
     * Begins on a command line.
     *
     * @param arguments see the text above
     */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        if (arguments.length < 2) {
            System.err.print(USAGE);
            System.exit(2);
        }
        List<Change> changes = new ArrayList<>();
        try {
            for (String change : List.of(arguments).subList(2, arguments.length)) {
                changes.add(Change.parse(change));
            }
        } catch (IllegalArgumentException unreadable) {
            System.err.println("register-proxy: " + unreadable.getMessage());
            System.exit(2);
        }
        Path path = Path.of(arguments[0]);
        if (!isFree(path)) {
            System.err.println("register-proxy: " + path + " is there already and somebody listens, or it is no socket;"
                    + " the proxy's own socket comes first, then the server's");
            System.exit(2);
        }
        RegisterProxy proxy = new RegisterProxy(path, Path.of(arguments[1]), System.out::println, System::nanoTime,
                changes);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> path.toFile().delete()));
        proxy.thread.join();
    }

    /** Deletes what an ended process has left; what somebody listens at, and what is no socket, stays. */
    private static boolean isFree(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return true;
        }
        boolean socket = Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).isOther();
        if (!socket || isListenedAt(path)) {
            return false;
        }
        Files.delete(path);
        return true;
    }

    /** Whatever cannot be connected to for another reason than that nobody listens counts as somebody's. */
    private static boolean isListenedAt(Path path) {
        try (SocketChannel tried = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            return tried.isConnected();
        } catch (ConnectException nobody) {
            return false;
        } catch (IOException other) {
            return !"Connection refused".equals(other.getMessage());
        }
    }

    /** Takes no more clients; whoever is connected goes on until one side leaves. */
    @Override
    public void close() throws IOException {
        Libc.shutdown(listener, 2);
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException again) {
                interrupted = true;
            }
        }
        Libc.close(listener);
        Files.deleteIfExists(path);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void accept() {
        for (int client = Libc.accept(listener); client >= 0; client = Libc.accept(listener)) {
            log.accept("a client has come");
            serve(client);
            log.accept("the client has left");
        }
    }

    private void serve(int client) {
        int behind;
        try {
            behind = Libc.connect(server);
        } catch (AssertionError absent) {
            log.accept("nobody listens at " + server);
            Libc.close(client);
            return;
        }
        Traffic traffic = new Traffic(log, nanos, changes);
        Thread answers = Thread.ofPlatform().name("register proxy, answers")
                .start(() -> pass(behind, client, traffic::fromServer));
        pass(client, behind, traffic::fromClient);
        while (answers.isAlive()) {
            try {
                answers.join();
            } catch (InterruptedException nobodyDoes) {
                Libc.shutdown(client, 2);
            }
        }
        Libc.close(client);
        Libc.close(behind);
        traffic.end();
    }

    /** One direction, until its sender leaves or its receiver is gone; then nothing more comes from there. */
    private static void pass(int from, int to, Consumer<Message> seen) {
        boolean there = true;
        boolean whole = true;
        while (there && whole) {
            Message message = Message.receive(from);
            if (message == null) {
                break;
            }
            whole = message.isWhole();
            seen.accept(message);
            there = message.send(to);
        }
        if (!whole) {
            Message.copy(from, to);
        }
        Libc.shutdown(to, 1);
        if (!there) {
            Libc.shutdown(from, 2);
        }
    }
}
