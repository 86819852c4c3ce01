// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.virtio4j.driver.DriverQueue;

/** Counts the heap bytes of one thread that is driver and disk; run in this process or as another one. */
final class BlockAllocationProbe {

    private static final int RUNS = 10;
    private static final int SECTOR = 512;
    private static final int DATA = 200 * SECTOR;
    private static final int SECTORS = 2000;
    private static final int SLOT = 0x4_0000;
    private static final int DATA_AT = 0x100;

    /** A request: what the driver writes, how many bytes it wants, and how many it gets. */
    private record Prepared(int at, int readable, int writable) {
    }

    private final VirtioBlock disk;
    private final BlockMachine machine;
    private final List<Prepared> requests = new ArrayList<>();

    private BlockAllocationProbe(GuestKind kind, VirtioBlock disk) {
        this.disk = disk;
        machine = new BlockMachine(kind, disk).start();
        prepare(DiskRequests.in(3), DATA + 1);
        prepare(DiskRequests.out(500, new byte[DATA]), 1);
        prepare(DiskRequests.flush(), 1);
        prepare(DiskRequests.ranges(DiskRequests.WRITE_ZEROES, new DiskRequests.Range(900, 300, 0),
                new DiskRequests.Range(3, 1, DiskRequests.UNMAP)), 1);
        prepare(DiskRequests.ranges(DiskRequests.DISCARD, new DiskRequests.Range(1200, 300, 0)), 1);
        prepare(DiskRequests.header(DiskRequests.GET_ID, 0), 21);
        prepare(DiskRequests.header(77, 0), 1);
    }

    /** Prints what {@link #measure} says of a guest. */
    public static void main(String[] arguments) throws IOException {
        System.out.println(measure(GuestKind.valueOf(arguments[0]), Path.of(arguments[1]), 20));
    }

    /**
     * How many bytes rounds of all requests allocate, or what went wrong. Moving from interpreted to compiled code
     * costs the thread a few bytes now and then, so the least of several runs counts.
     */
    static String measure(GuestKind kind, Path file, int rounds) throws IOException {
        Files.write(file, new byte[SECTORS * SECTOR]);
        try (VirtioBlock disk = VirtioBlock.builder(file).queueSize(BlockMachine.QUEUE_SIZE).polled().build()) {
            BlockAllocationProbe probe = new BlockAllocationProbe(kind, disk);
            String result = probe.measure(rounds);
            probe.machine.close();
            return result;
        }
    }

    private String measure(int rounds) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int failures = rounds(rounds);
        long bytes = Long.MAX_VALUE;
        int runs = 1;
        for (; runs <= RUNS && bytes != 0; runs++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            failures += rounds(rounds);
            bytes = Math.min(bytes, threads.getCurrentThreadAllocatedBytes() - before);
        }
        long expected = (long) runs * rounds;
        boolean right = failures == 0
                && disk.counters().outcomes(BlockOutcome.OK) == expected * (requests.size() - 1)
                && disk.counters().outcomes(BlockOutcome.UNKNOWN_TYPE) == expected;
        return right ? Long.toString(bytes) : failures + " failures, "
                + disk.counters().outcomes(BlockOutcome.OK) + " requests";
    }

    private int rounds(int count) {
        int failures = 0;
        for (int i = 0; i < count; i++) {
            failures += round();
        }
        return failures;
    }

    private int round() {
        DriverQueue queue = machine.queue(0);
        int failures = 0;
        for (int i = 0; i < requests.size(); i++) {
            Prepared request = requests.get(i);
            long at = machine.address(request.at);
            failures += queue.add(i, at, request.readable, at + SLOT - DATA_AT - request.writable, request.writable)
                    ? 0 : 1;
        }
        queue.publish();
        failures += machine.pollDevice() == requests.size() ? 0 : 1;
        failures += machine.pollDevice();
        while (queue.poll()) {
            failures += queue.usedLength() == requests.get((int) queue.usedToken()).writable ? 0 : 1;
        }
        return failures;
    }

    private void prepare(byte[] request, int writable) {
        int at = requests.size() * SLOT;
        machine.area().write(at, request, 0, request.length);
        requests.add(new Prepared(at, request.length, writable));
    }
}
