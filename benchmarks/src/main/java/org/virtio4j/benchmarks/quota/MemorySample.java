// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.quota;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The memory of this process at one moment.
 *
 * @param when     what has happened until then
 * @param mappings live mappings of the guest that fills its quota
 * @param refused  its MAPs that were answered with {@code NOMEM} since the round began
 * @param tables   bytes in use in its IOMMU's tables
 * @param resident bytes of the process that are in memory; 0 where the system does not say
 * @param heap     bytes of the heap in use after a collection
 */
record MemorySample(String when, long mappings, long refused, long tables, long resident, long heap) {

    private static final Path STATUS = Path.of("/proc/self/status");
    private static final long KIB = 1 << 10;

    static MemorySample now(String when, GreedyGuest guest, long refusedBefore) {
        System.gc();
        return new MemorySample(when, guest.liveMappings(), guest.refused() - refusedBefore, guest.tableBytes(),
                residentNow(), ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
    }

    private static long residentNow() {
        try {
            return Files.readAllLines(STATUS).stream().filter(line -> line.startsWith("RssAnon:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * KIB).findFirst().orElse(0);
        } catch (IOException unknown) {
            return 0;
        }
    }
}
