// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.fixture.Seeds;

/** What a million mappings cost, made through ring and device. */
class MemoryUseTest extends IommuTests {

    private static final int MAPPINGS = 1 << 20;
    private static final int BATCH = 128;
    private static final long PAGE = 0x1000;
    private static final long MOST_BYTES = 64;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @DisplayName("A million live mappings take at most 64 bytes each, in whatever order they come")
    void shouldTakeFewBytesForEachMapping(boolean shuffled) {
        IommuMachine machine = start(iommu().maxMappings(MAPPINGS));
        machine.ok(Requests.attach(ONE, DISK));
        long empty = machine.iommu().tableBytes();
        long[] pages = pages(shuffled);
        for (int i = 0; i < MAPPINGS; i += BATCH) {
            for (int slot = 0; slot < BATCH; slot++) {
                long start = pages[i + slot] * 2 * PAGE;
                byte[] request = Requests.map(ONE, start, start + PAGE - 1, pages[i + slot] * PAGE);
                machine.place(slot, request, Spec.TAIL);
                machine.add(slot, request, Spec.TAIL);
            }
            machine.driver().kick(machine.requests());
            for (int slot = 0; slot < BATCH; slot++) {
                assertTrue(machine.requests().poll());
                assertEquals(Spec.OK, machine.statusIn(slot, 0));
            }
        }
        assertEquals(MAPPINGS, machine.iommu().liveMappings());
        double each = (double) machine.iommu().tableBytes() / MAPPINGS;
        System.out.println("bytes for each of " + MAPPINGS + " mappings, shuffled=" + shuffled + ": " + each);
        assertTrue(each <= MOST_BYTES, () -> each + " bytes for each mapping");
        assertTrue(each >= 20, () -> each + " bytes for each mapping cannot be true");
        // One UNMAP takes them all, and gives the memory back.
        machine.ok(Requests.unmap(ONE, 0, -1));
        assertEquals(MAPPINGS, machine.iommu().counters().removedMappings());
        assertEquals(empty, machine.iommu().tableBytes());
    }

    private static long[] pages(boolean shuffled) {
        Random random = new Random(Seeds.next());
        long[] pages = new long[MAPPINGS];
        for (int i = 0; i < MAPPINGS; i++) {
            int place = shuffled ? random.nextInt(i + 1) : i;
            pages[i] = pages[place];
            pages[place] = i;
        }
        return pages;
    }
}
