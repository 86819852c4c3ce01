// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.virtio4j.device.DeviceConfig;
import org.virtio4j.device.Features;
import org.virtio4j.device.QueueDevice;
import org.virtio4j.device.ServedChain;
import org.virtio4j.device.ServedQueue;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.wire.DeviceType;
import org.virtio4j.wire.console.ConsoleConfig;
import org.virtio4j.wire.console.ConsoleFeature;

/**
 * A console with one port and a size (virtio 1.4, section 5.3). What its guest puts out goes to a {@link
 * ConsoleTerminal}; what is typed comes in by {@link #input}. No byte is lost or doubled while the terminal is slow,
 * buffers are small, or guest memory is away for a moment. A reset drops what the terminal has not taken yet of the
 * buffer at work, and keeps input that no driver has taken.
 *
 * <p>A thread of its own serves the output, from {@code DRIVER_OK} to the next reset, so a slow terminal keeps no
 * virtual CPU of the VMM waiting. (A Linux guest waits for its output by itself, with interrupts off. A terminal that
 * nobody looks at should take bytes and drop them.) All methods may be called from any thread.
 */
public final class VirtioConsole extends QueueDevice implements AutoCloseable {

    private static final int QUEUE_SIZE = 64;
    private static final int MOST = 0xffff;
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final ConsoleTerminal terminal;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final ConsoleCounters counters = new ConsoleCounters();
    private final ConsoleInput input = new ConsoleInput();
    private final DeviceConfig config = configuration((int) ConsoleConfig.SIZE);
    private final ServedQueue receiving;
    private final ServedQueue transmitting;

    /**
     * A console of no size yet: its driver reads 0 columns and 0 rows until {@link #resize} is called.
     *
     * @param terminal takes what the guest puts out
     */
    public VirtioConsole(ConsoleTerminal terminal) {
        super(DeviceType.CONSOLE);
        this.terminal = Objects.requireNonNull(terminal, "terminal");
        receiving = queue(QUEUE_SIZE, this::receive).onlyWhile(() -> !input.isEmpty());
        transmitting = queue(QUEUE_SIZE, new ConsoleOutput(terminal, counters)::write).byWorker("virtio-console");
    }

    /**
     * Takes bytes for the guest, from the buffer's position to its limit, and moves the position. Never waits; 64 KiB
     * are kept for a guest that does not take them, before {@code DRIVER_OK} too. If some were left, {@link
     * ConsoleTerminal#inputTaken} says when there is room again. Under no lock that an embedder's interrupt may wait
     * for.
     *
     * @param bytes what is typed; may be used again when this returns
     * @return how many bytes were taken
     */
    public int input(ByteBuffer bytes) {
        int took = input.put(bytes);
        if (took > 0) {
            receiving.look();
        }
        return took;
    }

    /** Says that the terminal can take bytes again, after {@link ConsoleTerminal#write} took none. */
    public void outputReady() {
        transmitting.look();
    }

    /**
     * Changes the size that the driver reads, and tells the driver. Under no lock that an embedder's interrupt may wait
     * for.
     *
     * @param columns characters in a row, 0 to 65,535
     * @param rows    0 to 65,535
     * @throws IllegalArgumentException if the specification has no room for the number
     */
    public void resize(int columns, int rows) {
        check("columns", columns);
        check("rows", rows);
        config.change(bytes -> {
            LittleEndian.putU16(bytes, ConsoleConfig.COLS, columns);
            LittleEndian.putU16(bytes, ConsoleConfig.ROWS, rows);
        });
    }

    /**
     * What the console has done since it was made.
     *
     * @return the counters, always the same object
     */
    public ConsoleCounters counters() {
        return counters;
    }

    /**
     * Ends the thread, and tells the terminal, once: after the last reset, and not in a call of the terminal. Waits for
     * a call of the terminal at work, at most ten seconds.
     *
     * @throws IllegalStateException if that call has not ended by then; its thread ends with it
     */
    @Override
    public void close() {
        boolean ended = endServing(PATIENCE);
        if (!closed.getAndSet(true)) {
            terminal.closed();
        }
        if (!ended) {
            throw new IllegalStateException("the terminal has been at work for " + PATIENCE.toSeconds() + " s");
        }
    }

    @Override
    public Features offered() {
        return Features.of(ConsoleFeature.SIZE);
    }

    private void receive(ServedChain chain) {
        input.take(chain, counters);
        if (input.wasMissed()) {
            terminal.inputTaken();
        }
    }

    private static void check(String name, int value) {
        if (value < 0 || value > MOST) {
            throw new IllegalArgumentException(name + "=" + value + " must be 0 to " + MOST);
        }
    }
}
