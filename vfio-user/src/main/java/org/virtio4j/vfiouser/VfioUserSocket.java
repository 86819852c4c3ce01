// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.ResetKind;
import org.virtio4j.os.socket.LocalConnection;
import org.virtio4j.os.socket.LocalListener;
import org.virtio4j.os.socket.LocalSockets;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.GuestMemory;

/**
 * A Unix socket at which another process uses one PCI function: a virtual machine monitor, or a driver in user space.
 * The socket brings what the function needs: a view of the guest's memory, which the client fills, and interrupts,
 * which end in the client's eventfds.
 *
 * <pre>
 *   VfioUserSocket socket = VfioUserSocket.at(path);
 *   VirtioPciFunction function = VirtioPciFunction.of(device, DmaSpace.identity(socket.memory()), socket.interrupts());
 *   socket.start(function);
 * </pre>
 *
 * <p>One client is served at a time, by one platform thread; others wait in line. Registers are accessed on that
 * thread, so a doorbell is served there if the device serves its queues in the call. When a client leaves, in whatever
 * way, the function is reset, its memory unmapped and its eventfds closed, and the next client finds it as after
 * power-on. What a client sends is carried out or refused with an error number; it cannot end the thread, and costs
 * other sockets nothing.
 *
 * <p>Nor can what the function or a listener throws. An exception that comes out of a command is answered with EIO; an
 * error, and whatever the message listener throws, cuts the client off. The first is kept, see {@link #failure}.
 */
public final class VfioUserSocket implements AutoCloseable {

    private static final long PAUSE_NANOS = 100_000_000;

    private final Path path;
    private final GuestMemory memory;
    private final LocalListener listener;
    private final DmaWindows windows;
    private final VectorSignals vectors = new VectorSignals();
    private final PinSignal pin = new PinSignal();
    private final SocketCounters counters = new SocketCounters();
    private final VfioUserOptions options;

    /** Guards what follows. */
    private final ReentrantLock lock = new ReentrantLock();
    private @Nullable LocalConnection current;
    private @Nullable ClientSession client;
    private @Nullable Thread server;
    private boolean started;

    private volatile boolean closing;

    private VfioUserSocket(Path path, VfioUserOptions options) throws IOException {
        this.path = path;
        this.options = options;
        this.memory = new GuestMemory(this::stalled);
        this.windows = new DmaWindows(memory, options);
        this.listener = LocalSockets.listen(path, options.descriptors());
    }

    /**
     * Listens at a path, with {@link VfioUserOptions#DEFAULT}.
     *
     * @param path as in {@link #at(Path, VfioUserOptions)}
     * @return the socket
     * @throws IOException as {@link #at(Path, VfioUserOptions)}
     */
    public static VfioUserSocket at(Path path) throws IOException {
        return at(path, VfioUserOptions.DEFAULT);
    }

    /**
     * Listens at a path, for processes of the same user alone (mode 0600). Clients may connect from now on and wait
     * until the function is served.
     *
     * @param path    where the socket is to be, at most 107 bytes; one that an ended process left there is replaced
     * @param options what else there is to choose
     * @return the socket
     * @throws IOException if there is somebody listening already, or something else, or the system refuses
     * @throws UnsupportedOperationException if descriptors are wanted but native calls are not allowed, or this is no
     *         Linux on x86-64 or aarch64
     */
    public static VfioUserSocket at(Path path, VfioUserOptions options) throws IOException {
        if (options.descriptors() && !LocalSockets.takeDescriptors()) {
            throw new UnsupportedOperationException("descriptors=true needs Linux on x86-64 or aarch64, and"
                    + " --enable-native-access=org.virtio4j.os; allow it, or use VfioUserOptions.withoutDescriptors");
        }
        return new VfioUserSocket(path, options);
    }

    // For the function

    /**
     * The guest's memory, as this client gives it.
     *
     * @return memory that is empty without a client; not to be changed by others
     */
    public GuestMemory memory() {
        return memory;
    }

    /**
     * Where the function's interrupts go.
     *
     * @return vectors and a pin
     */
    public PciInterrupts interrupts() {
        return PciInterrupts.vectors(vectors, pin);
    }

    // Serving

    /**
     * Serves a function on a new platform thread, whose name has the path's last part. It runs until {@link #close}.
     *
     * <p>A client's reset of the device, and the end of a client, is a {@link ResetKind#SYSTEM} reset of this function
     * and of no other. Clients reset the functions of one machine in any order; an IOMMU among them blocks what is
     * still at work behind it until that was reset, too. A reset waits up to a second for what the device is doing
     * elsewhere, and is answered then.
     *
     * @param function made with {@link #memory} and {@link #interrupts} of this socket
     * @throws IllegalStateException if this socket was started before
     */
    public void start(VirtioPciFunction function) {
        lock.lock();
        try {
            if (started || closing) {
                throw new IllegalStateException("path=" + path + " was started or closed before; make another socket");
            }
            started = true;
            CommandDispatcher service = new CommandDispatcher(function, windows, vectors, pin, counters);
            server = Thread.ofPlatform().name("vfio-user " + path.getFileName()).start(() -> serve(service));
        } finally {
            lock.unlock();
        }
    }

    /**
     * Ends serving: the client is cut off, the function reset, everything given back and the socket's file deleted.
     * Returns when that is done. Any thread but the socket's own.
     */
    @Override
    public void close() {
        Thread thread;
        lock.lock();
        try {
            closing = true;
            listener.shutdown();
            if (current != null) {
                current.shutdown();
            }
            thread = server;
        } finally {
            lock.unlock();
        }
        if (thread == null) {
            listener.close();
        } else {
            join(thread);
        }
    }

    // Looking at it

    /**
     * Where it is.
     *
     * @return as given
     */
    public Path path() {
        return path;
    }

    /**
     * Whether a client is being served.
     *
     * @return false between clients
     */
    public boolean connected() {
        lock.lock();
        try {
            return current != null;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Whether the client that is being served has said which protocol it speaks. One that has not keeps all others
     * waiting, and may never.
     *
     * @return false between clients
     */
    public boolean greeted() {
        lock.lock();
        try {
            return client != null && client.shookHands();
        } finally {
            lock.unlock();
        }
    }

    /**
     * How many windows of memory the client has given.
     *
     * @return a count, those without memory included
     */
    public int windows() {
        return windows.count();
    }

    /**
     * How many clients there were.
     *
     * @return a count that only grows
     */
    public long clients() {
        return counters.clients();
    }

    /**
     * How many requests were answered with an error.
     *
     * @return a count that only grows
     */
    public long refusals() {
        return counters.refusals();
    }

    /**
     * The first exception or error that came out of the device or out of a listener, or
     * that kept clients from being accepted.
     *
     * @return what should not have happened
     */
    public Optional<Throwable> failure() {
        return counters.failure();
    }

    /** A wait must go on, whatever is thrown at it. */
    private void stalled(String holder, long waitedNanos) {
        try {
            options.stalls().stalled(holder, waitedNanos);
        } catch (RuntimeException | Error mistake) {
            counters.failed(mistake);
        }
    }

    private void serve(CommandDispatcher service) {
        try (Arena arena = Arena.ofConfined(); listener) {
            RequestMessage request = new RequestMessage(arena);
            ReplyMessage reply = new ReplyMessage(arena);
            while (!closing) {
                try {
                    serveNext(service, request, reply);
                } catch (IOException refused) {
                    failed(refused);
                } catch (RuntimeException | Error mistake) {
                    failed(mistake);
                }
            }
        }
    }

    /** No client can be served for the moment, for example because the process has too much open; or this closes. */
    private void failed(Throwable why) {
        if (!closing) {
            counters.failed(why);
            clearInterrupt();
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    private void serveNext(CommandDispatcher service, RequestMessage request, ReplyMessage reply) throws IOException {
        try (LocalConnection connection = listener.accept()) {
            ClientSession next = new ClientSession(connection, service, request, reply, options);
            if (enter(connection, next)) {
                serve(next, service);
            }
        }
    }

    /** Whatever comes out of the function or of a listener ends this client alone. */
    private void serve(ClientSession guest, CommandDispatcher service) {
        try {
            guest.serve();
        } catch (IOException broken) {
            // A client that leaves in mid-message has left all the same.
        } catch (RuntimeException | Error mistake) {
            // Memory that was cut short is not among it: that is the device's to tell, by its need of a reset.
            counters.failed(mistake);
        } finally {
            clearInterrupt();
            try {
                if (guest.shookHands()) {
                    service.endClient();
                }
            } finally {
                leave();
            }
        }
    }

    /**
     * Clears the interrupt status of this thread, which a function or a listener may have set. It would end the waits
     * of a reset, and close the files in which the reset finishes its work.
     */
    private static void clearInterrupt() {
        Thread.interrupted();
    }

    private boolean enter(LocalConnection connection, ClientSession next) {
        lock.lock();
        try {
            if (closing) {
                return false;
            }
            current = connection;
            client = next;
            counters.connected();
            return true;
        } finally {
            lock.unlock();
        }
    }

    private void leave() {
        lock.lock();
        try {
            current = null;
            client = null;
        } finally {
            lock.unlock();
        }
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException again) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
