// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiohost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.virtio4j.iommu.embedder.MappingListener.Answer;
import org.virtio4j.os.Errno;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.MemoryRegion;
import org.virtio4j.vmm.RegionKind;
import org.virtio4j.wire.iommu.MapRequest;

/** From a guest's mappings to those of a host, with a host that fails at any call. */
class VfioMirrorTest {

    private static final int READ = MapRequest.FLAG_READ;
    private static final int WRITE = MapRequest.FLAG_WRITE;
    private static final int DOMAIN = 1;

    /** Two regions that touch, a hole of a page, and a third one. */
    private static final long SECOND = 0x4000;
    private static final long THIRD = 0x9000;

    private final GuestMemory memory = new GuestMemory();
    private final MemoryRegion first = memory.addAnonymous(0, SECOND);
    private final MemoryRegion second = memory.addAnonymous(SECOND, 0x4000);
    private final MemoryRegion third = memory.addAnonymous(THIRD, 0x1000);
    private final FakeHost host = new FakeHost();
    private final FakeHost other = new FakeHost();
    private final VfioMirror mirror = new VfioMirror(memory, host, other);

    @AfterEach
    void close() {
        mirror.close();
        memory.close();
    }

    @ParameterizedTest
    @CsvSource({"1, r", "2, w", "3, rw"})
    void shouldKeepRights(int flags, String rights) {
        assertEquals(Answer.DONE, mirror.map(DOMAIN, 0x10_0000, 0x10_0fff, 0x1000, flags));
        Map<Long, FakeHost.Mapping> expected = Map.of(0x10_0000L,
                new FakeHost.Mapping(first.segment().address() + 0x1000, 0x1000, rights));
        assertEquals(expected, host.mappings());
        assertEquals(expected, other.mappings());
        assertEquals(1, mirror.mappings());
        assertEquals(0x1000, mirror.mappedBytes());
    }

    @Test
    @DisplayName("A mirror that was closed although it is joined maps nothing any more, and still unmaps")
    void shouldRefuseWhenClosed() {
        assertEquals(Answer.DONE, mirror.map(DOMAIN, 0x10_0000, 0x10_0fff, 0x1000, READ));
        mirror.close();
        mirror.close();
        assertEquals(Answer.FAILED, mirror.map(DOMAIN, 0x20_0000, 0x20_0fff, 0x1000, READ));
        assertEquals(Answer.FAILED, mirror.attach(8, DOMAIN, false));
        assertEquals(Answer.DONE, mirror.unmap(DOMAIN, 0, -1));
        assertNothingMapped();
    }

    @Test
    @DisplayName("One piece for each region; what leads to no memory is left out and counted")
    void shouldSplitMappingThatSpansRegions() {
        assertEquals(Answer.DONE, mirror.map(DOMAIN, 0x10_0000, 0x10_afff, 0x1000, READ | WRITE));
        assertEquals(List.of("map 100000 102fff rw", "map 103000 106fff rw", "map 108000 108fff rw"), host.calls);
        assertEquals(first.segment().address() + 0x1000, mapped(0x10_0000L).host());
        assertEquals(second.segment().address(), mapped(0x10_3000L).host());
        assertEquals(third.segment().address(), mapped(0x10_8000L).host());
        assertEquals(3, mirror.mappings());
        assertEquals(2, mirror.unmirrored());
        assertEquals(Answer.DONE, mirror.unmap(DOMAIN, 0x10_0000, 0x10_afff));
        assertEquals("unmap 100000 108fff", host.calls.get(3));
        assertNothingMapped();
    }

    private FakeHost.Mapping mapped(long iova) {
        return host.mappings().getOrDefault(iova, new FakeHost.Mapping(0, 0, ""));
    }

    @Test
    void shouldMirrorNothingThatIsNoMemory() {
        memory.addDoorbell(0xfee0_0000L, 0x1000, (id, address, data) -> { });
        assertEquals(Answer.DONE, mirror.map(DOMAIN, 0x1000, 0x1fff, 0xfee0_0000L, WRITE));
        assertEquals(Answer.DONE, mirror.map(DOMAIN, 0x2000, 0x2fff, 0x1000, WRITE | MapRequest.FLAG_MMIO));
        assertEquals(Answer.DONE, mirror.map(DOMAIN, 0x1_0000, Long.MAX_VALUE, 1L << 63, READ));
        assertEquals(Answer.DONE, mirror.unmap(DOMAIN, 0, -1));
        assertEquals(List.of(), host.calls);
        assertEquals(3, mirror.unmirrored());
    }

    @Test
    void shouldLetRomBeReadOnly() {
        Arena arena = Arena.ofShared();
        memory.add(0x10_0000, arena.allocate(0x1000, 0x1000).asReadOnly(), RegionKind.ROM, arena::close);
        assertEquals(Answer.DONE, mirror.map(DOMAIN, 0, 0xfff, 0x10_0000, READ | WRITE));
        assertEquals(Answer.DONE, mirror.map(DOMAIN, 0x1000, 0x1fff, 0x10_0000, WRITE));
        assertEquals(List.of("map 0 fff r"), host.calls);
        assertEquals(1, mirror.unmirrored());
    }

    @Test
    @DisplayName("Six calls make three pieces in two containers; whichever fails, nothing stays")
    void shouldUndoWhateverCallFails() {
        for (int error : new int[] {Errno.ENOMEM, Errno.ENOSPC, Errno.EINVAL, Errno.EFAULT}) {
            Answer answer = error == Errno.ENOMEM || error == Errno.ENOSPC ? Answer.NO_ROOM : Answer.FAILED;
            for (int call = 0; call < 3; call++) {
                for (FakeHost failing : List.of(host, other)) {
                    failing.failAt(call, error);
                    assertEquals(answer, mirror.map(DOMAIN, 0, 0x9fff, 0, READ), "error=" + error + " call=" + call);
                    assertNothingMapped();
                    assertEquals(Optional.of(error), mirror.lastFailure().map(VfioFailure::errno));
                    failing.failAt(-1, 0);
                    assertEquals(Answer.DONE, mirror.map(DOMAIN, 0, 0x9fff, 0, READ));
                    assertEquals(Answer.DONE, mirror.unmap(DOMAIN, 0, -1));
                }
            }
        }
        assertEquals(24, mirror.refusals());
        assertFalse(mirror.isCutOff());
    }

    @Test
    void shouldSayWhyHostRefused() {
        assertEquals(Optional.empty(), mirror.lastFailure());
        host.failAt(0, Errno.ENOMEM);
        assertEquals(Answer.NO_ROOM, mirror.map(DOMAIN, 0x1000, 0x2fff, 0, READ));
        VfioFailure why = mirror.lastFailure().orElseThrow();
        assertEquals("ENOMEM", why.error());
        assertEquals("VFIO_IOMMU_MAP_DMA of 0x1000 to 0x2fff: ENOMEM (not enough memory or address space)",
                why.toString());
    }

    @Test
    void shouldHaveNoRoomBeyondTheLimitOfContainer() {
        host.limit(2);
        assertEquals(Answer.NO_ROOM, mirror.map(DOMAIN, 0, 0x9fff, 0, READ));
        assertNothingMapped();
        assertEquals(Answer.DONE, mirror.map(DOMAIN, 0, 0x7fff, 0, READ));
        assertEquals(2, mirror.mappings());
    }

    @Test
    void shouldCutOffWhenUndoingFails() {
        other.failAt(0, Errno.EINVAL);
        host.failAt(1, Errno.EIO);
        assertEquals(Answer.FAILED, mirror.map(DOMAIN, 0, 0xfff, 0, READ));
        assertTrue(host.isCut() && other.isCut());
        assertTrue(mirror.isCutOff());
        assertEquals(Answer.FAILED, mirror.map(DOMAIN, 0, 0xfff, 0, READ));
        assertEquals(Answer.FAILED, mirror.unmap(DOMAIN, 0, -1));
        assertEquals(Answer.FAILED, mirror.attach(8, DOMAIN, false));
    }

    @Test
    void shouldUnmapRangesWithManyMappingsOrNone() {
        for (int page = 0; page < 4; page++) {
            assertEquals(Answer.DONE, mirror.map(DOMAIN, page * 0x2000L, page * 0x2000L + 0xfff, 0, READ));
        }
        assertEquals(Answer.DONE, mirror.unmap(DOMAIN, 0x1000, 0x1fff));
        assertEquals(4, mirror.mappings());
        assertEquals(Answer.DONE, mirror.unmap(DOMAIN, 0x1800, 0x57ff));
        assertEquals("unmap 2000 4fff", host.calls.get(4));
        assertEquals(2, mirror.mappings());
        assertEquals(Answer.DONE, mirror.unmap(DOMAIN, 0, -1));
        assertNothingMapped();
        assertEquals(Answer.DONE, mirror.unmap(DOMAIN, 0, -1));
        assertEquals(6, host.calls.size());
    }

    @Test
    @DisplayName("All 2^64 addresses are more than one request can name")
    void shouldUnmapAllAddressesInHalves() {
        assertEquals(Answer.DONE, mirror.map(DOMAIN, 0, 0xfff, 0, READ));
        assertEquals(Answer.DONE, mirror.map(DOMAIN, -0x1000, -1, 0, READ));
        host.calls.clear();
        assertEquals(Answer.DONE, mirror.unmap(DOMAIN, 0, -1));
        assertEquals(List.of("unmap 0 7fffffffffffffff", "unmap 8000000000000000 ffffffffffffffff"), host.calls);
        assertNothingMapped();
    }

    @Test
    void shouldFailWhenHostDidNotUnmapAll() {
        assertEquals(Answer.DONE, mirror.map(DOMAIN, 0, 0x1fff, 0, READ));
        other.lieAboutBytes();
        assertEquals(Answer.FAILED, mirror.unmap(DOMAIN, 0, -1));
        assertEquals("VFIO_IOMMU_UNMAP_DMA: 4096 bytes and not 8192 of 0x0 to 0x1fff",
                String.valueOf(mirror.lastFailure().orElseThrow()));
    }

    @Test
    void shouldSayWhichUnmapFailed() {
        assertEquals(Answer.DONE, mirror.map(DOMAIN, 0, 0x1fff, 0, READ));
        host.failAt(0, Errno.EIO);
        assertEquals(Answer.FAILED, mirror.unmap(DOMAIN, 0, -1));
        assertEquals("VFIO_IOMMU_UNMAP_DMA of 0x0 to 0x1fff: EIO (input or output error)",
                String.valueOf(mirror.lastFailure().orElseThrow()));
    }

    @Test
    void shouldCutAllContainersOffWhenExpelled() {
        other.leave("0000:00:06.0 is not cut off");
        mirror.expelled();
        assertTrue(host.isCut() && other.isCut());
        assertTrue(mirror.isCutOff());
        assertEquals("0000:00:06.0 is not cut off", String.valueOf(mirror.lastFailure().orElseThrow()));
    }

    @Test
    void shouldReachNothingInBypass() {
        assertEquals(Answer.UNSUPPORTED, mirror.attach(8, DOMAIN, true));
        assertEquals(Answer.DONE, mirror.attach(8, DOMAIN, false));
        assertTrue(mirror.holdsOneDomain());
        assertFalse(mirror.canSplit());
    }

    @Test
    void shouldTakeRegionFromDevicesBeforeItIsRemoved() throws IOException {
        assertEquals(Answer.DONE, mirror.map(DOMAIN, 0, 0x7fff, 0, READ));
        mirror.withdraw(second);
        assertEquals(List.of(0L), List.copyOf(host.mappings().keySet()));
        assertEquals(Answer.DONE, mirror.map(DOMAIN, 0x10_0000, 0x10_7fff, 0, READ));
        assertEquals(List.of(0L, 0x10_0000L), List.copyOf(host.mappings().keySet()));
        memory.remove(second, Duration.ofSeconds(1));
        assertEquals(Answer.DONE, mirror.unmap(DOMAIN, 0, -1));
        assertNothingMapped();
    }

    @Test
    void shouldCutOffWhenRegionCannotBeTaken() {
        assertEquals(Answer.DONE, mirror.map(DOMAIN, 0, 0xfff, 0, READ));
        host.failAt(0, Errno.EIO);
        IOException thrown = assertThrows(IOException.class, () -> mirror.withdraw(first));
        assertTrue(String.valueOf(thrown.getMessage()).contains("EIO"));
        assertTrue(mirror.isCutOff());
    }

    @Test
    void shouldOfferThePagesThatAllContainersHave() {
        assertEquals(0x4020_1000L, mirror.pageSizeMask());
        try (VfioMirror both = new VfioMirror(memory, host, new FakeHost(0x1_0000_1000L | 0x20_0000))) {
            assertEquals(0x20_1000, both.pageSizeMask());
        }
        assertThrows(IllegalArgumentException.class, () -> new VfioMirror(memory, host, new FakeHost(0x1_0000)));
        assertThrows(IllegalArgumentException.class, () -> VfioMirror.of(memory));
    }

    private void assertNothingMapped() {
        assertEquals(Map.of(), host.mappings());
        assertEquals(Map.of(), other.mappings());
        assertEquals(0, mirror.mappings());
        assertEquals(0, mirror.mappedBytes());
    }
}
