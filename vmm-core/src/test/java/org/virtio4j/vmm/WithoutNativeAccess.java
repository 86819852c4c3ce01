// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.virtio4j.os.memory.NativeMemory;

/** What {@link HostMemoryTest} runs in a JVM that may not call native code: memory comes from a sparse file there. */
final class WithoutNativeAccess {

    static final String DONE = "sparse memory works";

    private static final long SIZE = 8L << 30;

    private WithoutNativeAccess() {
    }

    public static void main(String[] arguments) {
        check(!NativeMemory.available(), "native access is on");
        MemorySegment ram;
        try (GuestMemory memory = GuestMemory.anonymous(0, SIZE)) {
            ram = Objects.requireNonNull(memory.map().find(0)).segment();
            use(ram);
        }
        check(!ram.scope().isAlive(), "the memory outlives its region");
        HostMemory collected = HostMemory.collected(SIZE);
        use(collected.segment());
        collected.close();
        System.out.println(DONE);
    }

    private static void use(MemorySegment ram) {
        check(ram.byteSize() == SIZE, "wrong size");
        check(ram.address() % GuestMemory.PAGE_SIZE == 0, "misaligned");
        check(LittleEndian.i64(ram, SIZE / 2) == 0, "not zero");
        LittleEndian.putI64(ram, SIZE - 8, 42);
        check(LittleEndian.i64(ram, SIZE - 8) == 42, "does not keep what was written");
    }

    private static void check(boolean right, String message) {
        if (!right) {
            throw new AssertionError(message);
        }
    }
}
