// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.virtio4j.dma.DmaCursor;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.fixture.AgreeingMirror;
import org.virtio4j.fixture.WhenMapping;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.transport.TransportKind;
import org.virtio4j.vmm.Access;

/** Counts the heap bytes of one thread that is driver, device and endpoint; run in this process or as another one. */
final class AllocationProbe {

    private static final int RUNS = 10;
    private static final int BATCH = 64;
    private static final int PROBE_SIZE = 128;
    private static final long PAGE = 0x1000;

    private static final int PROBE = 2 * BATCH;
    private static final int MOVE = PROBE + 1;
    private static final int DETACH = PROBE + 2;
    private static final int REFUSED = PROBE + 3;

    private final IommuMachine machine;
    private final byte[][] requests = new byte[PROBE + 4][];
    private final DmaHandle disk;
    private final DmaHandle nic;
    private final DmaCursor cursor = new DmaCursor();

    private AllocationProbe(TransportKind transport, boolean mirrored) {
        VirtioIommuBuilder builder = VirtioIommu.builder().endpoint(8, ReservedRegions.X86_MSI).endpoint(9)
                .bootBypass(false).probeSize(PROBE_SIZE).maxMappings(10_000);
        if (mirrored) {
            builder.mappingListener(new WhenMapping(() -> { })).mappingListener(new AddressSpace(), 9);
        }
        machine = new IommuMachine(transport, builder.build()).start();
        machine.ok(Requests.attach(1, 8));
        for (int i = 0; i < BATCH; i++) {
            requests[i] = Requests.map(1, i * PAGE, (i + 1) * PAGE - 1, IommuMachine.FREE_RAM + i * PAGE);
            requests[BATCH + i] = Requests.unmap(1, i * PAGE, (i + 1) * PAGE - 1);
        }
        requests[PROBE] = Requests.probe(8);
        requests[MOVE] = Requests.attach(2, 9);
        requests[DETACH] = Requests.detach(2, 9);
        requests[REFUSED] = Requests.map(3, 0, PAGE - 1, 0);
        for (int i = 0; i < requests.length; i++) {
            machine.place(i, requests[i], Spec.TAIL);
        }
        machine.addEventBuffers(1, Spec.FAULT_SIZE);
        disk = machine.dma(8);
        nic = machine.dma(9);
    }

    /** Prints what {@link #measure} says of a transport. */
    public static void main(String[] arguments) {
        TransportKind transport = TransportKind.valueOf(arguments[0]);
        System.out.println(measure(transport, 40, false) + " " + measure(transport, 40, true));
    }

    /**
     * How many bytes rounds of everything allocate, or what went wrong. Moving from interpreted to compiled code costs
     * the thread a few bytes now and then, so the least of several runs counts; what a request costs is in all of them.
     */
    static String measure(TransportKind transport, int rounds, boolean mirrored) {
        AllocationProbe probe = new AllocationProbe(transport, mirrored);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int failures = 0;
        for (int i = 0; i < rounds; i++) {
            failures += probe.round();
        }
        long bytes = Long.MAX_VALUE;
        int runs = 1;
        for (; runs <= RUNS && bytes != 0; runs++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < rounds; i++) {
                failures += probe.round();
            }
            bytes = Math.min(bytes, threads.getCurrentThreadAllocatedBytes() - before);
        }
        long requests = probe.machine.iommu().counters().requests(Spec.MAP);
        probe.machine.close();
        return failures == 0 && requests == (long) runs * rounds * (BATCH + 1) ? Long.toString(bytes)
                : failures + " failures, " + requests + " MAP requests";
    }

    /** A mirror that has to give one domain up for the next. */
    private static final class AddressSpace extends AgreeingMirror {

        @Override
        public boolean holdsOneDomain() {
            return true;
        }

        @Override
        public boolean canSplit() {
            return true;
        }
    }

    private int round() {
        int failures = 0;
        for (int i = 0; i < BATCH; i++) {
            machine.add(i, requests[i], Spec.TAIL);
        }
        failures += kick(BATCH);
        for (int i = 0; i < BATCH; i++) {
            failures += access(disk, i * PAGE, DmaResult.OK);
        }
        for (int i = 0; i < BATCH; i++) {
            machine.add(BATCH + i, requests[BATCH + i], Spec.TAIL);
        }
        failures += kick(BATCH);
        failures += send(PROBE, PROBE_SIZE) == Spec.OK ? 0 : 1;
        failures += send(MOVE, 0) == Spec.OK ? 0 : 1;
        failures += send(DETACH, 0) == Spec.OK ? 0 : 1;
        failures += send(REFUSED, 0) == Spec.NOENT ? 0 : 1;
        failures += access(nic, PAGE, DmaResult.FAULT);
        if (!machine.events().poll()) {
            failures++;
        }
        machine.addEventBuffers(1, Spec.FAULT_SIZE);
        return failures;
    }

    private int send(int slot, int properties) {
        machine.add(slot, requests[slot], properties + Spec.TAIL);
        kick(1);
        return machine.statusIn(slot, properties);
    }

    private int kick(int expected) {
        machine.driver().kick(machine.requests());
        int back = 0;
        int failures = 0;
        while (machine.requests().poll()) {
            failures += expected == 1 || machine.statusIn((int) machine.requests().usedToken(), 0) == Spec.OK ? 0 : 1;
            back++;
        }
        return failures + Math.abs(expected - back);
    }

    private int access(DmaHandle handle, long iova, DmaResult expected) {
        handle.enter();
        DmaResult result = handle.access(iova, PAGE, Access.WRITE, cursor);
        handle.leave();
        return result == expected ? 0 : 1;
    }
}
