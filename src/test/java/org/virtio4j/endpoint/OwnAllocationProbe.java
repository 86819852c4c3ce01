// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import org.virtio4j.device.KeptChain;
import org.virtio4j.device.ServedChain;
import org.virtio4j.driver.DriverQueue;

/**
 * Counts the heap bytes of one thread that is driver and device; run in this process or as another one. The device
 * echoes at once in its first queue, and in its second keeps chains and completes them in another order.
 */
final class OwnAllocationProbe {

    private static final int RUNS = 10;
    private static final int CHAINS = 16;
    private static final int LENGTH = 64;
    private static final int SLOT = 2 * LENGTH;

    private final MemorySegment copy = MemorySegment.ofArray(new byte[LENGTH]);
    private final KeptChain[] kept = new KeptChain[CHAINS];
    private final BlockMachine machine;
    private int keptCount;

    private OwnAllocationProbe(GuestKind kind) {
        machine = new BlockMachine(kind, OwnDevice.with(this::echo, this::keep)).start();
    }

    /** Prints what {@link #measure} says of a guest. */
    public static void main(String[] arguments) {
        System.out.println(measure(GuestKind.valueOf(arguments[0]), 20));
    }

    /**
     * How many bytes rounds of all requests allocate, or what went wrong. Moving from interpreted to compiled code
     * costs the thread a few bytes now and then, so the least of several runs counts.
     */
    static String measure(GuestKind kind, int rounds) {
        OwnAllocationProbe probe = new OwnAllocationProbe(kind);
        String result = probe.measure(rounds);
        probe.machine.close();
        return result;
    }

    private String measure(int rounds) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int answers = rounds(rounds);
        long bytes = Long.MAX_VALUE;
        int runs = 1;
        for (; runs <= RUNS && bytes != 0; runs++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            answers += rounds(rounds);
            bytes = Math.min(bytes, threads.getCurrentThreadAllocatedBytes() - before);
        }
        int expected = 2 * CHAINS * runs * rounds;
        return answers == expected ? Long.toString(bytes) : answers + " answers of " + expected;
    }

    private int rounds(int count) {
        int answers = 0;
        for (int i = 0; i < count; i++) {
            answers += round(0) + round(1);
        }
        return answers;
    }

    private int round(int index) {
        DriverQueue queue = machine.queue(index);
        for (int i = 0; i < CHAINS; i++) {
            long at = machine.address(i * SLOT);
            if (!queue.add(i, at, LENGTH, at + LENGTH, LENGTH)) {
                return 0;
            }
        }
        machine.kick(index);
        for (int i = keptCount - 1; i >= 0; i--) {
            // All odd ones first, then all even ones.
            kept[i % 2 == 0 ? i / 2 : (i + keptCount) / 2].complete(copy, 0, LENGTH);
        }
        keptCount = 0;
        int answers = 0;
        while (queue.poll()) {
            answers += queue.usedLength() == LENGTH ? 1 : 0;
        }
        return answers;
    }

    private void echo(ServedChain chain) {
        chain.read(0, copy, 0, LENGTH);
        chain.write(0, copy, 0, LENGTH);
    }

    private void keep(ServedChain chain) {
        chain.read(0, copy, 0, LENGTH);
        kept[keptCount] = chain.keep();
        keptCount++;
    }
}
