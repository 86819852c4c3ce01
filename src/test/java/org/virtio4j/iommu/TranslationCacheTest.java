// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaCursor;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.iommu.embedder.IommuCounters;
import org.virtio4j.vmm.Access;

/**
 * What devices remember from section to section, seen by the IOMMU's own counters: all that still holds, and nothing
 * else.
 */
class TranslationCacheTest extends IommuTests {

    private static final long PAGE = 0x1000;
    private static final long DATA = IommuMachine.FREE_RAM;
    private static final int EXTENTS = 1000;
    private static final int BATCH = 50;

    private final DmaCursor cursor = new DmaCursor();
    private long translations;
    private long hits;

    /** What takes the page of the disk away, all of them in one request or register write. */
    enum Taking {
        UNMAP_OF_EVERYTHING(machine -> machine.ok(Requests.unmap(ONE, 0, -1))),
        DETACH(machine -> machine.ok(Requests.detach(ONE, DISK))),
        ATTACH_TO_NEW_DOMAIN(machine -> machine.ok(Requests.attach(7, DISK))),
        ATTACH_TO_OTHER_DOMAIN(machine -> machine.ok(Requests.attach(TWO, DISK))),
        ATTACH_TO_BYPASS(machine -> machine.ok(Requests.attachBypass(7, DISK))),
        DEVICE_RESET(machine -> machine.transport().writeStatus(0)),
        FUNCTION_RESET(machine -> machine.reset(ResetKind.FUNCTION)),
        SYSTEM_RESET(machine -> machine.reset(ResetKind.SYSTEM));

        @SuppressWarnings("ImmutableEnumChecker") // a lambda that captures nothing
        private final Consumer<IommuMachine> action;

        Taking(Consumer<IommuMachine> action) {
            this.action = action;
        }
    }

    @Test
    @DisplayName("After UNMAP of one of 1,000 mappings in use the other 999 still need no look at the table")
    void shouldForgetExactlyWhatIsUnmapped() {
        IommuMachine machine = machine();
        mapAll(machine);
        DmaHandle disk = machine.dma(DISK);
        readAll(disk, -1);
        assertCounts(machine, EXTENTS, 0);
        readAll(disk, -1);
        assertCounts(machine, EXTENTS, EXTENTS);
        machine.ok(Requests.unmap(ONE, start(617), start(617) + PAGE - 1));
        readAll(disk, 617);
        assertCounts(machine, EXTENTS, EXTENTS - 1);
        machine.ok(Requests.map(ONE, start(617), start(617) + PAGE - 1, DATA + 5 * PAGE));
        readAll(disk, -1);
        assertCounts(machine, EXTENTS, EXTENTS - 1);
    }

    @Test
    @DisplayName("UNMAP of a range forgets the mappings in it, in one batch with others too")
    void shouldForgetExactlyWhatABatchUnmaps() {
        IommuMachine machine = machine();
        mapAll(machine);
        DmaHandle disk = machine.dma(DISK);
        readAll(disk, -1);
        readAll(disk, -1);
        machine.sendAll(List.of(Requests.unmap(ONE, start(10), start(20) - 1),
                Requests.unmap(ONE, start(40), start(41) - 1),
                Requests.unmap(ONE, start(500), start(900) - 1)));
        machine.ok(Requests.map(ONE, start(10), start(20) - 1, DATA + 0x40_0000));
        assertCounts(machine, 2 * EXTENTS, EXTENTS);
        for (int i = 0; i < EXTENTS; i++) {
            boolean gone = i == 40 || (i >= 500 && i < 900);
            assertEquals(gone ? DmaResult.FAULT : DmaResult.OK, read(disk, start(i)), "extent " + i);
        }
        // Of the ten in the new mapping one is found out.
        assertCounts(machine, EXTENTS, EXTENTS - 402);
        assertEquals(DATA + 0x40_0000 + 3 * PAGE, physical(disk, start(11) + PAGE));
    }

    @ParameterizedTest
    @EnumSource
    @DisplayName("Whatever takes an endpoint's translations away makes its devices forget them")
    void shouldForgetWhatWasTakenAway(Taking taking) {
        IommuMachine machine = machine();
        machine.ok(Requests.map(ONE, PAGE, 3 * PAGE - 1, DATA));
        machine.ok(Requests.map(TWO, 16 * PAGE, 17 * PAGE - 1, DATA));
        DmaHandle disk = machine.dma(DISK);
        DmaHandle nic = machine.dma(NIC);
        assertEquals(DATA, physical(disk, PAGE));
        assertEquals(DATA, physical(nic, 16 * PAGE));
        taking.action.accept(machine);
        assertEquals(machine.see(DISK, PAGE, Access.READ), Seen.of(disk, PAGE, Access.READ));
        assertEquals(machine.see(NIC, 16 * PAGE, Access.READ), Seen.of(nic, 16 * PAGE, Access.READ));
    }

    @Test
    @DisplayName("What one domain unmaps, the devices of another remember")
    void shouldForgetInTheDomainOnly() {
        IommuMachine machine = machine();
        machine.ok(Requests.map(ONE, PAGE, 2 * PAGE - 1, DATA));
        machine.ok(Requests.map(TWO, PAGE, 2 * PAGE - 1, DATA + PAGE));
        DmaHandle nic = machine.dma(NIC);
        DmaHandle disk = machine.dma(DISK);
        assertEquals(DmaResult.OK, read(disk, PAGE));
        assertEquals(DmaResult.OK, read(nic, PAGE));
        assertCounts(machine, 2, 0);
        machine.ok(Requests.unmap(ONE, 0, -1));
        machine.ok(Requests.detach(ONE, DISK));
        assertEquals(DmaResult.OK, read(nic, PAGE));
        assertCounts(machine, 1, 1);
    }

    @Test
    @DisplayName("All endpoints of a domain forget, and all handles of an endpoint")
    void shouldForgetEverywhere() {
        IommuMachine machine = machine();
        machine.ok(Requests.attach(ONE, NIC));
        machine.ok(Requests.map(ONE, PAGE, 2 * PAGE - 1, DATA));
        try (DmaHandle second = DmaSpace.of(machine.memory(), machine.iommu().translator(DISK)).open("second")) {
            List<DmaHandle> all = List.of(machine.dma(DISK), second, machine.dma(NIC));
            all.forEach(handle -> assertEquals(DmaResult.OK, read(handle, PAGE)));
            machine.ok(Requests.unmap(ONE, PAGE, 2 * PAGE - 1));
            all.forEach(handle -> assertEquals(DmaResult.FAULT, read(handle, PAGE)));
        }
    }

    @Test
    @DisplayName("A domain that is begun again under the same number has nothing of the old one")
    void shouldForgetTheDomainBefore() {
        IommuMachine machine = machine();
        DmaHandle disk = machine.dma(DISK);
        for (int round = 0; round < 20; round++) {
            List<byte[]> batch = new ArrayList<>(List.of(Requests.detach(ONE, DISK), Requests.attach(ONE, DISK)));
            batch.add(Requests.map(ONE, PAGE, 2 * PAGE - 1, DATA + round * PAGE));
            machine.sendAll(batch);
            assertEquals(DATA + round * PAGE, physical(disk, PAGE));
            assertEquals(DATA + round * PAGE, physical(disk, PAGE));
        }
    }

    @Test
    @DisplayName("5.13.4: bypass = 0 is forgotten by endpoints that are attached to nothing, and by them alone")
    void shouldForgetTheBypass() {
        IommuMachine machine = machine();
        machine.ok(Requests.detach(ONE, DISK));
        machine.ok(Requests.map(TWO, PAGE, 2 * PAGE - 1, DATA));
        DmaHandle disk = machine.dma(DISK);
        DmaHandle nic = machine.dma(NIC);
        machine.writeBypass(1);
        for (int i = 0; i < 2; i++) {
            assertEquals(DATA, physical(disk, DATA));
            assertEquals(DATA, physical(nic, PAGE));
        }
        assertCounts(machine, 4, 2);
        machine.writeBypass(0);
        assertEquals(DmaResult.FAULT, read(disk, DATA));
        assertEquals(DATA, physical(nic, PAGE));
        assertCounts(machine, 2, 1);
    }

    @Test
    @DisplayName("A mapping that grows a permission is not judged by what was remembered")
    void shouldForgetPermissions() {
        IommuMachine machine = machine();
        machine.ok(Requests.map(ONE, PAGE, 2 * PAGE - 1, DATA, Spec.MAP_F_READ));
        DmaHandle disk = machine.dma(DISK);
        assertEquals(DmaResult.OK, read(disk, PAGE));
        assertEquals(DmaResult.FAULT, access(disk, PAGE, Access.WRITE));
        machine.sendAll(List.of(Requests.unmap(ONE, PAGE, 2 * PAGE - 1), Requests.map(ONE, PAGE, 2 * PAGE - 1, DATA)));
        assertEquals(DmaResult.OK, access(disk, PAGE, Access.WRITE));
    }

    @Test
    @DisplayName("A large mapping is one thing to remember, wherever it is used")
    void shouldRememberLargeMappingsAsOne() {
        IommuMachine machine = machine();
        long size = IommuMachine.RAM_END - DATA;
        machine.ok(Requests.map(ONE, 3 * PAGE, 3 * PAGE + size - 1, DATA));
        DmaHandle disk = machine.dma(DISK);
        for (long at = 0; at < size; at += PAGE) {
            assertEquals(DATA + at, physical(disk, 3 * PAGE + at));
        }
        assertCounts(machine, size / PAGE, size / PAGE - 1);
        machine.ok(Requests.unmap(ONE, 3 * PAGE, -1));
        for (long at = 0; at < size; at += PAGE) {
            assertEquals(DmaResult.FAULT, read(disk, 3 * PAGE + at));
        }
    }

    @Test
    @DisplayName("A handle that was closed is asked for nothing, and another goes on")
    void shouldLetAHandleGo() {
        IommuMachine machine = machine();
        machine.ok(Requests.map(ONE, PAGE, 2 * PAGE - 1, DATA));
        DmaHandle closed = DmaSpace.of(machine.memory(), machine.iommu().translator(DISK)).open("closed");
        assertEquals(DmaResult.OK, read(closed, PAGE));
        closed.close();
        assertEquals(DmaResult.CLOSED, read(closed, PAGE));
        DmaHandle disk = machine.dma(DISK);
        assertEquals(DmaResult.OK, read(disk, PAGE));
        machine.ok(Requests.unmap(ONE, PAGE, 2 * PAGE - 1));
        assertEquals(DmaResult.FAULT, read(disk, PAGE));
    }

    private IommuMachine machine() {
        IommuMachine machine = start();
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.attach(TWO, NIC));
        return machine;
    }

    private static long start(int extent) {
        return (1L << 32) + 2L * extent * PAGE;
    }

    private static void mapAll(IommuMachine machine) {
        for (int first = 0; first < EXTENTS; first += BATCH) {
            List<byte[]> batch = new ArrayList<>();
            for (int i = first; i < first + BATCH; i++) {
                batch.add(Requests.map(ONE, start(i), start(i) + PAGE - 1, DATA + i * PAGE));
            }
            machine.sendAll(batch).forEach(reply -> Reply.assertStatus(Spec.OK, reply));
        }
    }

    /** Reads from every extent, each in a section of its own; one may be gone. */
    private void readAll(DmaHandle handle, int gone) {
        for (int i = 0; i < EXTENTS; i++) {
            assertEquals(i == gone ? DmaResult.FAULT : DmaResult.OK, read(handle, start(i)), "extent " + i);
        }
    }

    private DmaResult read(DmaHandle handle, long iova) {
        return access(handle, iova, Access.READ);
    }

    private DmaResult access(DmaHandle handle, long iova, Access access) {
        handle.enter();
        DmaResult result = handle.access(iova, 8, access, cursor);
        handle.leave();
        return result;
    }

    private long physical(DmaHandle handle, long iova) {
        handle.enter();
        DmaResult result = handle.access(iova, 8, Access.READ, cursor);
        assertEquals(DmaResult.OK, result);
        cursor.next();
        long physical = cursor.region().start() + cursor.offset();
        handle.leave();
        return physical;
    }

    /** How many lookups there were since the last call, and how many of them did not go to the table. */
    private void assertCounts(IommuMachine machine, long expectedTranslations, long expectedHits) {
        IommuCounters counters = machine.iommu().counters();
        assertEquals(expectedTranslations + " " + expectedHits,
                (counters.translations() - translations) + " " + (counters.cacheHits() - hits));
        translations = counters.translations();
        hits = counters.cacheHits();
    }
}
