// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.LittleEndian;

/** A device at work while its handle is closed, or the memory it writes copied away. */
public final class MemoryRaces {

    private static final long PAGE = GuestMemory.PAGE_SIZE;

    private MemoryRaces() {
    }

    /** A handle that is closed on another thread. */
    @JCStressTest
    @Outcome(id = {"0", "1"}, expect = ACCEPTABLE, desc = "it was closed already, or the section was waited for")
    @Outcome(expect = FORBIDDEN, desc = "memory was reached through a closed handle")
    @State
    public static class Close {

        private final TableAndReader desk = TableAndReader.take();
        private final DmaHandle handle = DmaSpace.identity(desk.memory).open("closing");

        @Actor
        public void reader(I_Result result) {
            handle.enter();
            if (handle.live()) {
                TableAndReader.stay();
                result.r1 = desk.done() == 0 ? PageMarks.OLD : PageMarks.POISON;
            }
            handle.leave();
        }

        @Actor
        public void writer() {
            handle.close();
            desk.done(1);
        }

        @Arbiter
        public void after() {
            desk.giveBack();
        }
    }

    /** Memory that a device writes while it is copied: the page is marked before the copy, or after it again. */
    @JCStressTest
    @Outcome(id = {"true, true", "true, false", "false, true"}, expect = ACCEPTABLE, desc = "one copy has it at least")
    @Outcome(expect = FORBIDDEN, desc = "what was written is in no copy")
    @State
    public static class DirtyPage {

        private static final Pool<Copied> POOL = new Pool<>(Copied::new);

        private final Copied copied = POOL.take();

        public DirtyPage() {
            copied.write(0);
        }

        @Actor
        public void device() {
            copied.write(1);
        }

        @Actor
        public void copier(ZZ_Result result) {
            result.r1 = copied.copy();
        }

        @Arbiter
        public void after(ZZ_Result result) {
            result.r2 = copied.copy();
            POOL.give(copied);
        }
    }

    /** Memory with a log of what devices write. */
    private static final class Copied {

        private final Arena arena = Arena.ofAuto();
        private final MemorySegment from = arena.allocate(8, 8);
        private final GuestMemory memory = new GuestMemory();
        private final MemorySegment ram;
        private final DmaHandle device;
        private boolean seen;

        Copied() {
            ram = memory.addAnonymous(0, PAGE).segment();
            memory.dirtyLog().start((int) PAGE);
            device = DmaSpace.identity(memory).open("device");
        }

        void write(long value) {
            LittleEndian.putI64(from, 0, value);
            device.enter();
            if (device.write(0, from, 0, Long.BYTES) != DmaResult.OK) {
                throw new IllegalStateException("the race was not set up as it should be");
            }
            device.leave();
        }

        /** Whether a copy of what is marked has the value. */
        boolean copy() {
            seen = false;
            memory.dirtyLog().harvest((gpa, length) -> seen = LittleEndian.i64(ram, 0) == 1);
            return seen;
        }
    }
}
