// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiouser;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.virtio4j.device.ResetKind;
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
 * thread, so a doorbell is served there if the device serves its queues in the call. When a client leaves, for any
 * reason, the function is reset, its memory unmapped and its eventfds closed, and the next client finds it as after
 * power-on. What a client sends is carried out or refused with an error number; it cannot end the thread, and costs
 * other sockets nothing.
 *
 * <p>Nor can what the function or a listener throws. An exception that comes out of a command is answered with EIO; an
 * error, and whatever the message listener throws, cuts the client off. The first is kept, see {@link #failure}.
 */
public final class VfioUserSocket implements AutoCloseable {

    private final Path path;
    private final GuestMemory memory;
    private final DmaWindows windows;
    private final VectorSignals vectors = new VectorSignals();
    private final PinSignal pin = new PinSignal();
    private final SocketCounters counters = new SocketCounters();
    private final VfioUserOptions options;
    private final ClientTurns turns;

    private VfioUserSocket(Path path, VfioUserOptions options) throws IOException {
        this.path = path;
        this.options = options;
        this.memory = new GuestMemory(this::stalled);
        this.windows = new DmaWindows(memory, options);
        this.turns = new ClientTurns(LocalSockets.listen(path, options.descriptors()), options, counters);
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
     * @throws IOException if a process listens there already, something else is there, or the system refuses
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
        CommandDispatcher service = new CommandDispatcher(function, windows, vectors, pin, counters);
        if (!turns.start("vfio-user " + path.getFileName(), service)) {
            throw new IllegalStateException("path=" + path + " was started or closed before; make another socket");
        }
    }

    /**
     * Ends serving: the client is cut off, the function reset, everything given back and the socket's file deleted.
     * Returns when that is done. Any thread but the socket's own.
     */
    @Override
    public void close() {
        turns.close();
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
        return turns.connected();
    }

    /**
     * Whether the client that is being served has said which protocol it speaks. One that has not keeps all others
     * waiting, and may never.
     *
     * @return false between clients
     */
    public boolean greeted() {
        return turns.greeted();
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

    /** A wait must go on, whatever the listener throws. */
    private void stalled(String holder, long waitedNanos) {
        try {
            options.stalls().stalled(holder, waitedNanos);
        } catch (RuntimeException | Error mistake) {
            counters.failed(mistake);
        }
    }
}
