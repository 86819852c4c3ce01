// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaCursor;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.LittleEndian;

/**
 * A device does DMA without a pause while the guest takes the page away again and again, in each way there is. As soon
 * as the guest can see that the page is its own, it puts poison there: one byte of it in the device's hands, or one
 * byte of the device's in the poison, fails the test.
 */
class StaleByteTest extends IommuTests {

    private static final int ROUNDS = 200;
    private static final long PAGE = GuestMemory.PAGE_SIZE;
    private static final long IOVA = 0x8000;

    /** What the disk may see, what it may never see, and where the guest has a page that it gives and takes. */
    private static final long GOOD = 0x600d_600d_600d_600dL;
    private static final long POISON = 0xbad0_bad0_bad0_bad0L;
    private static final long SHARED = IommuMachine.FREE_RAM;
    private static final long OTHER = SHARED + 4 * PAGE;

    /** Ways to give the disk a page and to take it away. */
    enum Taking {
        UNMAP(IOVA, machine -> machine.ok(Requests.map(ONE, IOVA, IOVA + PAGE - 1, SHARED)),
                machine -> machine.ok(Requests.unmap(ONE, IOVA, IOVA + PAGE - 1))),

        DETACH(IOVA, Taking::attachAndMap, machine -> machine.ok(Requests.detach(ONE, DISK))),

        /** To a domain where the address means another page, which is as good. */
        ATTACH_THAT_MOVES(IOVA, Taking::attachAndMap, machine -> machine.ok(Requests.attach(TWO, DISK))),

        /** The number of the domain, and what kept its mappings, serve another endpoint at once. */
        DOMAIN_END_AND_REUSE(IOVA, machine -> {
            machine.ok(Requests.attach(TWO, NIC));
            attachAndMap(machine);
        }, machine -> {
            machine.ok(Requests.attach(TWO, DISK));
            machine.ok(Requests.attach(ONE, NIC));
            machine.ok(Requests.map(ONE, IOVA, IOVA + PAGE - 1, SHARED));
        }),

        BYPASS_END(SHARED, machine -> {
            machine.ok(Requests.detach(ONE, DISK));
            machine.writeBypass(1);
        }, machine -> {
            machine.writeBypass(0);
            machine.ok(Requests.attach(ONE, DISK));
        }),

        DEVICE_RESET(IOVA, Taking::startAndMap, IommuMachine::resetDevice),

        SYSTEM_RESET(IOVA, Taking::startAndMap, machine -> machine.reset(ResetKind.SYSTEM));

        private final long iova;
        @SuppressWarnings("ImmutableEnumChecker") // a lambda that captures nothing
        private final Consumer<IommuMachine> give;
        @SuppressWarnings("ImmutableEnumChecker") // a lambda that captures nothing
        private final Consumer<IommuMachine> take;

        Taking(long iova, Consumer<IommuMachine> give, Consumer<IommuMachine> take) {
            this.iova = iova;
            this.give = give;
            this.take = take;
        }

        private static void attachAndMap(IommuMachine machine) {
            machine.ok(Requests.attach(ONE, DISK));
            machine.ok(Requests.map(ONE, IOVA, IOVA + PAGE - 1, SHARED));
        }

        private static void startAndMap(IommuMachine machine) {
            machine.start();
            attachAndMap(machine);
        }
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("5.13.6.4 rule 25: a device never reads a byte of a page that was taken away")
    void shouldReadNoStaleByte(Taking taking) {
        IommuMachine machine = machine();
        Device disk = new Device(machine.dma(DISK), taking.iova, Access.READ);
        disk.during(() -> {
            for (int round = 0; round < ROUNDS; round++) {
                giveAndAwaitUse(machine, taking, disk);
                taking.take.accept(machine);
                fill(machine, SHARED, POISON);
            }
        });
        assertEquals(0, disk.stale);
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("5.13.6.4 rule 25: a device never writes a byte to a page that was taken away")
    void shouldWriteNoStaleByte(Taking taking) {
        IommuMachine machine = machine();
        Device disk = new Device(machine.dma(DISK), taking.iova, Access.WRITE);
        disk.during(() -> {
            for (int round = 0; round < ROUNDS; round++) {
                giveAndAwaitUse(machine, taking, disk);
                taking.take.accept(machine);
                fill(machine, SHARED, POISON);
                // Time for the disk to do harm: until it has begun and ended another section.
                disk.awaitSection();
                assertEquals(0, wrong(machine, SHARED, POISON));
            }
        });
    }

    @Test
    @DisplayName("The oracle is sharp: a page that is poisoned before it is taken away is seen")
    void shouldSeePoisonWhenGuestDoesNotWait() {
        IommuMachine machine = machine();
        Device disk = new Device(machine.dma(DISK), IOVA, Access.READ);
        disk.during(() -> {
            giveAndAwaitUse(machine, Taking.UNMAP, disk);
            fill(machine, SHARED, POISON);
            disk.awaitSection();
            disk.awaitSection();
            Taking.UNMAP.take.accept(machine);
        });
        assertTrue(disk.stale > 0);
    }

    private IommuMachine machine() {
        IommuMachine machine = start();
        fill(machine, OTHER, GOOD);
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.attach(TWO, NIC));
        machine.ok(Requests.map(TWO, IOVA, IOVA + PAGE - 1, OTHER));
        return machine;
    }

    private static void giveAndAwaitUse(IommuMachine machine, Taking taking, Device disk) {
        fill(machine, SHARED, GOOD);
        taking.give.accept(machine);
        long before = disk.used;
        Threads.awaitThat(() -> disk.used != before);
    }

    private static void fill(IommuMachine machine, long gpa, long value) {
        for (long at = 0; at < PAGE; at += Long.BYTES) {
            machine.ram().putI64(gpa + at, value);
        }
    }

    private static long wrong(IommuMachine machine, long gpa, long expected) {
        long wrong = 0;
        for (long at = 0; at < PAGE; at += Long.BYTES) {
            wrong += machine.ram().i64(gpa + at) == expected ? 0 : 1;
        }
        return wrong;
    }

    /** Reads or writes one page over and over, each time in a section of its own that lasts a while. */
    private static final class Device implements Runnable {

        private static final int PASSES = 4;

        private final DmaHandle handle;
        private final long iova;
        private final Access access;
        private final DmaCursor cursor = new DmaCursor();
        private volatile boolean stop;

        /** Sections in which it reached the page, and all sections. */
        private volatile long used;
        private volatile long sections;

        /** Words that were not as they may be; to be read when the thread has ended. */
        private long stale;

        Device(DmaHandle handle, long iova, Access access) {
            this.handle = handle;
            this.iova = iova;
            this.access = access;
        }

        /** Runs on a thread of its own while the caller does something. */
        void during(Runnable action) {
            Future<?> running = Threads.start("device", this);
            try {
                action.run();
            } finally {
                stop = true;
            }
            Threads.join(running);
        }

        @Override
        public void run() {
            long reached = 0;
            long all = 0;
            while (!stop) {
                handle.enter();
                if (handle.access(iova, PAGE, access, cursor) == DmaResult.OK) {
                    cursor.next();
                    use(cursor.segment(), cursor.offset());
                    used = ++reached;
                }
                handle.leave();
                sections = ++all;
            }
        }

        private void use(MemorySegment segment, long offset) {
            long wrong = 0;
            for (int pass = 0; pass < PASSES; pass++) {
                for (long at = offset; at < offset + PAGE; at += Long.BYTES) {
                    if (access == Access.WRITE) {
                        LittleEndian.putI64Release(segment, at, GOOD);
                    } else if (LittleEndian.i64Acquire(segment, at) != GOOD) {
                        wrong++;
                    }
                }
            }
            stale += wrong;
        }

        /** Returns when a section has begun and ended since the call. */
        void awaitSection() {
            long before = sections;
            Threads.awaitThat(() -> sections >= before + 2);
        }
    }
}
