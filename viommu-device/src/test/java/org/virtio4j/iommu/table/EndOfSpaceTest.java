// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.virtio4j.iommu.table.Mappings.LAST_ADDRESS;
import static org.virtio4j.iommu.table.Mappings.all;
import static org.virtio4j.iommu.table.Mappings.map;
import static org.virtio4j.iommu.table.Mappings.physOf;
import static org.virtio4j.iommu.table.Mappings.start;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.iommu.table.MappingTable.Lookup;
import org.virtio4j.iommu.table.MappingTable.Removal;
import org.virtio4j.os.memory.NativeMemory;
import org.virtio4j.vmm.HostMemory;

/** When the memory of a table goes back to the system: most of what is freed, and all of it at the end. */
class EndOfSpaceTest {

    private static final int MAPPINGS = 300_000;
    private static final long MIB = 1 << 20;
    private static final ExtentSink NOWHERE = (virtStart, virtEnd, physStart, permitted) -> { };

    private static final Pattern RANGE = Pattern.compile("([0-9a-f]+)-[0-9a-f]+ ");

    private final HostMemory memory = HostMemory.collected(NodeSpace.bytesFor(1_000_000, 8));
    private final NodeSpace space = new NodeSpace(memory);

    @Test
    void shouldGiveMemoryBackWhenMostMappingsWereRemoved() throws IOException {
        assumeTrue(NativeMemory.available(), "advice is a native call");
        MappingTree table = new MappingTree(space);
        for (int round = 0; round < 3; round++) {
            fill(table, 1_000_000);
            long full = residentBytes();
            assertTrue(full > 20 * MIB, () -> full + " bytes for a million mappings");
            assertEquals(Removal.REMOVED, table.remove(0, LAST_ADDRESS));
            space.reclaim();
            long left = residentBytes();
            assertTrue(left < 8 * MIB, () -> left + " bytes of " + full + " are left");
            table.verify();
        }
        assertNull(space.memory().refusal());
        end(table);
    }

    @Test
    void shouldGiveMemoryBackWhenATableEndsBesideAnother() throws IOException {
        assumeTrue(NativeMemory.available(), "advice is a native call");
        MappingTree stays = new MappingTree(space);
        MappingTree ends = new MappingTree(space);
        fill(stays, 200_000);
        fill(ends, 600_000);
        List<String> before = all(stays);
        long full = residentBytes();
        ends.discard();
        space.reclaim();
        long given = full - residentBytes();
        assertTrue(given > 8 * MIB, () -> given + " bytes went back");
        stays.verify();
        assertEquals(before, all(stays));
        end(stays);
    }

    /** Memory goes back and comes back while mappings stay, in no order. */
    @Test
    void shouldKeepEveryMappingThatIsLeft() {
        long seed = Long.getLong("virtio4j.seed", System.nanoTime());
        System.out.println("EndOfSpaceTest -Dvirtio4j.seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        MappingTree table = new MappingTree(space);
        for (int round = 0; round < 6; round++) {
            fill(table, MAPPINGS);
            long first = random.nextInt(MAPPINGS);
            long behind = first + random.nextInt(MAPPINGS);
            table.remove(0, start(2 * first) - 1);
            table.remove(start(2 * behind), LAST_ADDRESS);
            space.reclaim();
            table.verify();
            long[] next = {first};
            table.forEach(0, LAST_ADDRESS, (virtStart, virtEnd, physStart, flags) -> {
                assertEquals(start(2 * next[0]), virtStart);
                assertEquals(physOf(virtStart), physStart);
                next[0]++;
                return true;
            });
            assertEquals(Math.min(behind, MAPPINGS), next[0]);
            table.remove(0, LAST_ADDRESS);
            space.reclaim();
        }
        end(table);
    }

    @Test
    void shouldRefuseToCloseBeforeReadersAreGone() {
        MappingTree table = new MappingTree(space);
        map(table, 1, 2);
        assertRefused("tables=1");
        table.discard();
        assertRefused("tables=0 retired=");
        assertTrue(table.find(start(1), 1, NOWHERE) == Lookup.ABSENT, "a discarded table finds nothing");
        space.reclaim();
        space.close();
        space.close();
    }

    @Test
    void shouldFailSafelyAfterClosing() {
        MemorySegment segment = memory.segment();
        MappingTree table = new MappingTree(space);
        map(table, 1, 2);
        end(table);
        assertEquals(NativeMemory.available(), !segment.scope().isAlive());
        for (long page = 0; page < 4; page++) {
            assertEquals(Lookup.ABSENT, table.find(start(page), 1, NOWHERE));
        }
        assertEquals(0, table.size());
        assertFalse(space.hasRoomForTable());
        space.reclaim();
        table.discard();
        for (Runnable use : List.<Runnable>of(() -> map(table, 1, 1), () -> table.remove(0, 1), table::clear,
                () -> table.overlaps(0, 1), () -> table.wouldSplit(0, 1), table::verify,
                () -> table.forEach(0, 1, (virtStart, virtEnd, physStart, flags) -> true),
                () -> new MappingTree(space))) {
            assertThrows(IllegalStateException.class, use::run);
        }
    }

    private void end(MappingTree last) {
        last.discard();
        space.reclaim();
        space.close();
    }

    private void assertRefused(String reason) {
        String message = String.valueOf(assertThrows(IllegalStateException.class, space::close).getMessage());
        assertTrue(message.contains(reason), message);
        assertTrue(message.contains("discard every table"), message);
    }

    private void fill(MappingTree table, int mappings) {
        for (int page = 0; page < mappings; page++) {
            map(table, 2L * page, 2L * page);
            if (page % 64 == 0) {
                space.reclaim();
            }
        }
    }

    /** What of the space's memory is in use, and nothing else of this process. */
    private long residentBytes() throws IOException {
        long first = memory.segment().address();
        long end = first + memory.segment().byteSize();
        long sum = 0;
        boolean inside = false;
        for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
            Matcher range = RANGE.matcher(line);
            if (range.lookingAt()) {
                long start = Long.parseUnsignedLong(range.group(1), 16);
                inside = start >= first && start < end;
            } else if (inside && line.startsWith("Rss:")) {
                sum += Long.parseLong(line.replaceAll("\\D", "")) * 1024;
            }
        }
        return sum;
    }
}
