// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.driver.pci.PciHost.Discovery;

/** Which functions are found, and how their BARs are measured and placed. */
class PciHostTest {

    private final FakePciBus bus = new FakePciBus();
    private final FakePci fake = FakePci.complete();

    // Which functions

    @Test
    void shouldLookAtFunction0AloneWhenItSpeaksOfNoOthers() {
        bus.with(3, 0, fake).with(3, 1, FakePci.complete());
        List<PciDriverTransport> found = bus.host().scan();
        assertEquals(1, found.size());
        assertEquals(3, found.getFirst().device());
        assertEquals(0, found.getFirst().function());
        assertEquals(23, found.getFirst().deviceType());
        assertEquals(IntStream.range(0, 32).filter(device -> device != 3).mapToObj(device -> device + ".0").toList(),
                bus.misses);
    }

    @Test
    void shouldLookAtEveryFunctionWhenFunction0SpeaksOfOthers() {
        fake.put(0x0e, 1, 0x80);
        FakePci second = FakePci.complete();
        second.put(0x02, 2, 0x1042);
        bus.with(31, 0, fake).with(31, 7, second);
        PciHost host = bus.host();
        List<PciDriverTransport> found = host.scan();
        assertEquals(2, found.size());
        assertEquals(7, found.getLast().function());
        assertEquals(2, found.getLast().deviceType());
        assertTrue(bus.misses.containsAll(List.of("31.1", "31.6")));
        assertEquals(Discovery.EMPTY, host.discovery(31, 1));
    }

    @Test
    void shouldReadNoFurtherThanTheIdentityWhenItIsAnotherVendor() {
        fake.put(0x00, 2, 0x8086);
        assertDiscovery(Discovery.NOT_VIRTIO);
        assertEquals(List.of("R2 0", "R1 e", "R2 0", "R2 2"), fake.log);
    }

    @Test
    @DisplayName("4.1.2.2: device IDs 0x1040 to 0x107f are matched, whatever the revision")
    void shouldMatchTheModernDeviceIds() {
        for (int id : new int[] {0xfff, 0x1080}) {
            assertDiscovery(Discovery.NOT_VIRTIO, id);
        }
        for (int id : new int[] {0x1000, 0x103f}) {
            assertDiscovery(Discovery.TRANSITIONAL, id);
        }
        for (int id : new int[] {0x1040, 0x107f}) {
            assertDiscovery(Discovery.FOUND, id);
        }
        fake.put(0x08, 1, 0xff);
        assertDiscovery(Discovery.FOUND, 0x1040);
    }

    @Test
    void shouldLeaveABridgeAloneWhenItHasTheIdsOfVirtio() {
        fake.put(0x0e, 1, 1);
        assertDiscovery(Discovery.NOT_VIRTIO);
    }

    @Test
    void shouldThrowWhenAPlaceIsOutsideTheBus() {
        PciHost host = bus.host();
        assertEquals(Discovery.EMPTY, host.discovery(31, 7));
        assertEquals("device=32 function=0, but a bus has devices 0 to 31 with functions 0 to 7",
                assertThrows(IllegalArgumentException.class, () -> host.discovery(32, 0)).getMessage());
        assertThrows(IllegalArgumentException.class, () -> host.discovery(0, 8));
        assertThrows(IllegalArgumentException.class, () -> host.discovery(-1, 0));
    }

    @Test
    void shouldThrowWhenTheWindowIsNoRange() {
        assertEquals("memoryStart=0x1000 memorySize=0 is no range of guest-physical addresses",
                assertThrows(IllegalArgumentException.class, () -> bus.host(0x1000, 0)).getMessage());
        assertThrows(IllegalArgumentException.class, () -> bus.host(-0x1000, 0x1001));
    }

    // BARs

    @Test
    void shouldMeasureBarsWithDecodingOffAndPlaceThemBeforeItIsOn() {
        fake.put(0x04, 2, 0x7);
        fake.put(0x10, 4, 0xfebf_0000L);
        fake.put(0x18, 4, 0xfeb0_000cL);
        fake.put(0x1c, 4, 0x1);
        assertDiscovery(Discovery.FOUND);
        assertEquals(List.of("R2 4", "W2 4 0"), configLog("R2 4", 2));
        List<String> accesses = fake.log.stream().filter(entry -> isBarAccess(entry)).toList();
        assertEquals(List.of("R4 10", "W4 10 ffffffff", "R4 10", "W4 10 febf0000",
                "R4 14", "W4 14 ffffffff", "R4 14", "W4 14 0",
                "R4 18", "R4 1c", "W4 18 ffffffff", "W4 1c ffffffff", "R4 18", "R4 1c", "W4 18 feb0000c", "W4 1c 1",
                "R4 20", "W4 20 ffffffff", "R4 20", "W4 20 0",
                "R4 24", "W4 24 ffffffff", "R4 24", "W4 24 0",
                "W4 10 c0000000", "W4 18 c0008000", "W4 1c 0"), accesses);
        assertEquals(List.of("W4 1c 0", "W2 4 6"), configLog("W4 1c 0", 2));
        assertEquals(0xc000_8000L, fake.address(2));
    }

    @Test
    void shouldAlignEachBarToItsSizeWhenSeveralFunctionsArePlaced() {
        FakePci second = FakePci.complete();
        bus.with(0, 0, fake).with(1, 0, second).host().scan();
        assertEquals(0xc000_0000L, fake.address(0));
        assertEquals(0xc000_8000L, fake.address(2));
        assertEquals(0xc001_0000L, second.address(0));
        assertEquals(0xc001_8000L, second.address(2));
    }

    @Test
    void shouldWriteBothHalvesWhenA64BitBarLiesAbove4GiB() {
        bus.with(0, 0, without32BitBars()).host(FakePciBus.START, FakePciBus.SIZE).scan();
        assertEquals(FakePciBus.START, fake.address(2));
    }

    @Test
    void shouldMeasureABarThatIsLargerThan4GiB() {
        fake.bar(2, 1L << 36, 0xc);
        assertDiscovery(Discovery.NO_ROOM);
        without32BitBars();
        PciHost host = bus.with(0, 0, fake).host(1L << 35, 1L << 37);
        host.scan();
        assertEquals(Discovery.FOUND, host.discovery(0, 0));
        assertEquals(1L << 36, fake.address(2));
    }

    @Test
    void shouldLeaveAFunctionAsItWasWhenItsBarsHaveNoRoom() {
        fake.put(0x04, 2, 0x402);
        byte[] before = fake.config.clone();
        PciHost host = bus.with(0, 0, fake).with(1, 0, FakePci.complete()).host(FakePciBus.LOW_START + 0x1000, 0xf000);
        fake.bar(2, 0x1_0000, 0xc);
        assertEquals(1, host.scan().size(), "what had no room takes none");
        assertEquals(Discovery.NO_ROOM, host.discovery(0, 0));
        for (int i = 0; i < before.length; i++) {
            assertEquals(before[i], fake.config[i], "byte " + i);
        }
    }

    @Test
    void shouldFindNoRoomWhenA32BitBarWouldLieAbove4GiB() {
        PciHost host = bus.with(0, 0, fake).host(FakePciBus.START, FakePciBus.SIZE);
        assertTrue(host.scan().isEmpty());
        assertEquals(Discovery.NO_ROOM, host.discovery(0, 0));
    }

    @Test
    void shouldLeaveABarInIoSpaceAlone() {
        fake.bar(4, 0x20, 0x1);
        fake.bar(5, 0x10, 0x1);
        assertDiscovery(Discovery.FOUND);
        assertFalse(fake.log.stream().anyMatch(entry -> entry.startsWith("W4 20") || entry.startsWith("W4 24")));
        assertEquals(6, fake.get(4, 2));
    }

    @Test
    void shouldTakeTheLastBarForNoneWhenItWouldNeedAHighHalf() {
        fake.bar(4, 0x20, 0x1);
        fake.put(0x24, 4, 0x4);
        assertDiscovery(Discovery.FOUND);
        assertFalse(fake.log.stream().anyMatch(entry -> entry.startsWith("W4 24") || entry.endsWith(" 28")));
    }

    @Test
    void shouldPlaceTheSameAgainWhenItScansAgain() {
        PciHost host = bus.with(0, 0, fake).host();
        host.scan();
        long before = fake.address(2);
        assertEquals(1, host.scan().size());
        assertEquals(before, fake.address(2));
    }

    private FakePci without32BitBars() {
        fake.put(0x10, 4, 0);
        fake.writable[0] = 0;
        return fake;
    }

    private void assertDiscovery(Discovery expected, int deviceId) {
        fake.put(0x02, 2, deviceId);
        assertDiscovery(expected);
    }

    private void assertDiscovery(Discovery expected) {
        PciHost host = bus.with(0, 0, fake).host();
        assertEquals(expected == Discovery.FOUND ? 1 : 0, host.scan().size());
        assertEquals(expected, host.discovery(0, 0));
    }

    private List<String> configLog(String first, int count) {
        int at = fake.log.lastIndexOf(first);
        return fake.log.subList(at, at + count);
    }

    private static boolean isBarAccess(String entry) {
        int register = Integer.parseInt(entry.split("[ :]", 3)[1], 16);
        return entry.charAt(1) == '4' && !entry.contains(":") && register >= 0x10 && register < 0x28;
    }
}
