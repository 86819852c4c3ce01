// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Counts the heap bytes that the present thread allocates. */
public final class Allocation {

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static final int RUNS = 10;

    private Allocation() {
    }

    /**
     * Demands that the work can run without allocating. Running it loads classes the first time, and some hundred bytes
     * come and go while the JIT compiler is at it; an allocation of the work itself would be there each time.
     */
    public static void assertNone(Runnable work) {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < RUNS && least != 0; i++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            work.run();
            least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
        }
        assertEquals(0, least, "heap bytes allocated");
    }
}
