// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import org.virtio4j.driver.DriverQueue;

/** Counts the heap bytes of a guest's thread that is terminal and typist, too, and of the console's thread. */
final class ConsoleAllocationProbe implements ConsoleTerminal {

    private static final int RUNS = 10;
    private static final int ROUNDS = 200;
    private static final int LENGTH = 40_000;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final ByteBuffer typed = ByteBuffer.allocateDirect(LENGTH);
    private volatile long thread;
    private final AtomicLong out = new AtomicLong();
    private int failures;

    @Override
    public void write(ByteBuffer bytes) {
        thread = Thread.currentThread().threadId();
        out.addAndGet(bytes.remaining());
        bytes.position(bytes.limit());
    }

    /** How many bytes rounds of transfers allocate, or what went wrong; the least of several runs counts. */
    static String measure(GuestKind kind) {
        ConsoleAllocationProbe probe = new ConsoleAllocationProbe();
        try (VirtioConsole console = new VirtioConsole(probe);
                BlockMachine machine = new BlockMachine(kind, console).start()) {
            return probe.measure(console, machine);
        }
    }

    private String measure(VirtioConsole console, BlockMachine machine) {
        rounds(console, machine);
        long bytes = Long.MAX_VALUE;
        for (int run = 0; run < RUNS && bytes != 0; run++) {
            long before = allocated();
            rounds(console, machine);
            bytes = Math.min(bytes, allocated() - before);
        }
        return failures == 0 ? Long.toString(bytes) : failures + " failures";
    }

    private long allocated() {
        return THREADS.getCurrentThreadAllocatedBytes() + THREADS.getThreadAllocatedBytes(thread);
    }

    private void rounds(VirtioConsole console, BlockMachine machine) {
        for (int i = 0; i < ROUNDS; i++) {
            long goal = out.get() + LENGTH;
            transfer(machine, ConsoleTests.TRANSMIT, LENGTH, 0);
            failures += out.get() == goal ? 0 : 1;
            failures += console.input(typed.clear()) == LENGTH ? 0 : 1;
            int got = 0;
            while (got < LENGTH) {
                got += transfer(machine, ConsoleTests.RECEIVE, 0, LENGTH);
            }
        }
    }

    /** Sends a buffer and spins until it is back; says how much was written. */
    private static int transfer(BlockMachine machine, int index, int readable, int writable) {
        DriverQueue queue = machine.queue(index);
        queue.add(1, machine.address(0), readable, machine.address(0), writable);
        machine.kick(index);
        while (!queue.poll()) {
            Thread.onSpinWait();
        }
        return (int) queue.usedLength();
    }
}
