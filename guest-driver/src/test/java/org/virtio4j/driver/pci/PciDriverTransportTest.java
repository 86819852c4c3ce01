// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.virtio4j.driver.Allocation;

/** Order and widths of the accesses; the common configuration is at 2:1000, the device's at 2:4000. */
class PciDriverTransportTest {

    private final FakePci fake = FakePci.complete();
    private final PciDriverTransport transport = transport(fake);

    @Test
    @DisplayName("4.1.3.1: each field is accessed in its own width")
    void shouldUseTheWidthOfTheField() {
        transport.status();
        transport.writeStatus(0x0f);
        transport.configGeneration();
        transport.offeredFeatures(1);
        transport.acceptFeatures(3, 0x8000_0000);
        transport.queueReady(1);
        assertEquals(List.of("R1 2:1014", "W1 2:1014 f", "R1 2:1015", "W4 2:1000 1", "R4 2:1004", "W4 2:1008 3",
                "W4 2:100c 80000000", "W2 2:1016 1", "R2 2:101c"), fake.log);
    }

    @Test
    void shouldUseTheWidthOfTheFieldWhenTheConfigurationIsAccessed() {
        fake.set(2, 0x4008, 0x8000_0001L);
        fake.set(2, 0x400c, 0x7fff_fffeL);
        assertEquals(0x7fff_fffe_8000_0001L, transport.readConfig(8, 8));
        transport.readConfig(36, 1);
        transport.writeConfig(36, 1, 1);
        transport.writeConfig(6, 2, 7);
        transport.writeConfig(8, 8, -2);
        assertEquals(List.of("R4 2:4008", "R4 2:400c", "R1 2:4024", "W1 2:4024 1", "W2 2:4006 7",
                "W4 2:4008 fffffffe", "W4 2:400c ffffffff"), fake.log);
    }

    @Test
    void shouldThrowWhenThereIsNoDeviceConfiguration() {
        FakePci bare = bare(4);
        PciDriverTransport without = transport(bare);
        assertEquals("deviceType=4 has no device configuration in any BAR",
                assertThrows(IllegalStateException.class, () -> without.readConfig(0, 1)).getMessage());
        assertThrows(IllegalStateException.class, () -> without.writeConfig(0, 1, 1));
    }

    @Test
    void shouldReadTheIsrStatusWhenInterruptsAreTaken() {
        fake.set(2, 0x3001, 3);
        assertEquals(3, transport.takeInterrupts());
        assertEquals(List.of("R1 2:3001"), fake.log);
    }

    // Queues

    @Test
    @DisplayName("4.1.4.3.2: the other fields are written before queue_enable")
    void shouldWriteSizeAndAddressesBeforeEnable() {
        assertTrue(transport.enableQueue(3, 128, 0x1_2345_6780L, 0xffff_ffff_8000_0002L, 0x4));
        assertEquals(List.of("W2 2:1016 3", "W2 2:1018 80", "W4 2:1020 23456780", "W4 2:1024 1", "W4 2:1028 80000002",
                "W4 2:102c ffffffff", "W4 2:1030 4", "W4 2:1034 0", "R2 2:101e", "W2 2:101c 1", "R2 2:101c"),
                fake.log);
        assertTrue(transport.queueReady(3));
    }

    @Test
    void shouldReadTheChosenSizeWhenAQueueWasEnabled() {
        assertEquals(64, transport.queueSizeMax(3));
        assertEquals(List.of("W2 2:1016 3", "R2 2:1018"), fake.log);
        transport.enableQueue(3, 16, 0, 0, 0);
        assertEquals(16, transport.queueSizeMax(3));
    }

    @Test
    @DisplayName("4.1.4.3.2: 0 is never written to queue_enable")
    void shouldNotTouchTheDeviceWhenAQueueIsToBeDisabled() {
        assertFalse(transport.disableQueue(1));
        assertEquals(List.of(), fake.log);
    }

    @Test
    @DisplayName("4.1.4.3.2: a queue reset is complete when queue_reset reads 0")
    void shouldWaitForTheEndWhenAQueueIsReset() {
        int[] reads = new int[1];
        FakePci slow = bare(23, new FakePci(0x1057) {
            @Override
            long readBar(int bar, long offset, int width) {
                if (offset == 0x3a && ++reads[0] > 4) {
                    set(bar, offset, 0);
                }
                return super.readBar(bar, offset, width);
            }
        });
        assertTrue(transport(slow).resetQueue(2));
        assertEquals(List.of("W2 0:16 2", "W2 0:3a 1", "R2 0:3a", "R2 0:3a", "R2 0:3a", "R2 0:3a", "R2 0:3a",
                "R2 0:1c"), slow.log);
    }

    @Test
    void shouldGiveUpWhenAQueueResetNeverEnds() {
        FakePci silent = bare(23, new FakePci(0x1057) {
            @Override
            long readBar(int bar, long offset, int width) {
                return 1;
            }
        });
        assertFalse(transport(silent).resetQueue(0));
    }

    @Test
    void shouldNotResetAQueueWhenTheStructureEndsBeforeTheField() {
        FakePci old = new FakePci(0x1057);
        old.bar(0, 0x4000, 0x4);
        old.virtio(1, 0, 0, 0x38);
        old.notifications(0, 0x1000, 0x100, 4);
        old.virtio(3, 0, 0x2000, 1);
        assertFalse(transport(old).resetQueue(0));
        assertEquals(List.of(), old.log);
    }

    @Test
    void shouldThrowWhenAQueueHasNo16BitIndex() {
        assertEquals("queue=65536, but queues are counted from 0 to 65535",
                assertThrows(IllegalArgumentException.class, () -> transport.queueReady(65536)).getMessage());
        assertThrows(IllegalArgumentException.class, () -> transport.notifyQueue(-1));
    }

    // Notifications; the structure is 0x1000 bytes at 0:1000

    @ParameterizedTest(name = "multiplier {0}, queue_notify_off {1}: {2}")
    @CsvSource({"0, 0, 1000", "0, 65535, 1000", "2, 0, 1000", "2, 3, 1006", "2, 2047, 1ffe", "4, 3, 100c",
            "4096, 0, 1000", "6, 5, 101e", "5, 2, 100a"})
    void shouldWrite16BitsAtTheAddressOfTheQueue(long multiplier, int notifyOff, String place) {
        FakePci device = bare(multiplier, notifyOff);
        PciDriverTransport driver = transport(device);
        assertTrue(driver.enableQueue(1, 16, 0, 0, 0));
        device.log.clear();
        driver.notifyQueue(1);
        assertEquals(List.of("W2 0:" + place + " 1"), device.log);
    }

    @ParameterizedTest(name = "multiplier {0}, queue_notify_off {1}")
    @CsvSource({"2, 2048", "4096, 1", "4294967295, 65535", "4, 65535", "5, 1"})
    void shouldNotEnableAQueueWhenItsAddressIsNoneInTheStructure(long multiplier, int notifyOff) {
        FakePci device = bare(multiplier, notifyOff);
        PciDriverTransport driver = transport(device);
        assertFalse(driver.enableQueue(1, 16, 0, 0, 0));
        assertTrue(device.log.stream().noneMatch(entry -> entry.startsWith("W2 0:1c")));
        device.log.clear();
        driver.notifyQueue(1);
        assertEquals(List.of("W2 0:16 1", "R2 0:1e"), device.log);
    }

    @Test
    void shouldLookTheAddressUpOnceWhenAQueueWasNeverEnabled() {
        fake.set(2, 0x101e, 9);
        transport.notifyQueue(5);
        transport.notifyQueue(5);
        assertEquals(List.of("W2 2:1016 5", "R2 2:101e", "W2 2:2024 5", "W2 2:2024 5"), fake.log);
    }

    @Test
    void shouldTakeTheNewAddressWhenAQueueIsEnabledAgain() {
        transport.enableQueue(0, 16, 0, 0, 0);
        fake.set(2, 0x101e, 1);
        transport.enableQueue(2, 16, 0, 0, 0);
        fake.set(2, 0x101e, 7);
        transport.enableQueue(0, 16, 0, 0, 0);
        fake.log.clear();
        transport.notifyQueue(0);
        transport.notifyQueue(2);
        assertEquals(List.of("W2 2:201c 0", "W2 2:2004 2"), fake.log);
    }

    @Test
    void shouldAllocateNothingWhenItNotifies() {
        FakePci quiet = bare(23, new FakePci(0x1057) {
            @Override
            void writeBar(int bar, long offset, int width, long value) {
                // Remembers nothing.
            }
        });
        PciDriverTransport driver = transport(quiet);
        driver.notifyQueue(0);
        driver.notifyQueue(1);
        Allocation.assertNone(() -> {
            for (int i = 0; i < 1_000; i++) {
                driver.notifyQueue(i & 1);
            }
        });
    }

    // Function level reset

    @Test
    void shouldPlaceAndEnableAgainWhenTheFunctionIsReset() {
        assertTrue(transport.functionReset());
        assertEquals(List.of("R4 44", "W2 4 0", "R2 48", "W2 48 8000", "R2 0", "W4 10 c0000000", "W4 18 c0008000",
                "W4 1c 0", "W2 4 6"), fake.log);
    }

    @Test
    void shouldSaySoWhenTheFunctionHasNoSuchReset() {
        fake.put(0x44, 4, 0x8000);
        assertFalse(transport.functionReset());
        assertEquals(List.of("R4 44"), fake.log);
        FakePci without = bare(23);
        PciDriverTransport driver = transport(without);
        assertFalse(driver.functionReset());
        assertEquals(List.of(), without.log);
    }

    @Test
    void shouldGiveUpWhenTheFunctionDoesNotComeBack() {
        FakePci gone = bare(23, new FakePci(0x1057) {
            @Override
            void writeConfig(long offset, int width, long value) {
                super.writeConfig(offset, width, value);
                if (value == 0x8000) {
                    put(0, 2, 0xffff);
                }
            }

            @Override
            long readConfig(long offset, int width) {
                return get((int) offset, width);
            }
        });
        gone.capability(0x10, 2, 0, 0, 0x80, 0, 0x10, 0, 0, 0, 0);
        assertFalse(transport(gone).functionReset());
    }

    static FakePci bare(int type) {
        return bare(type, new FakePci(0x1040 + type));
    }

    /** The three structures that must be, each at the start of 4 KiB of BAR 0. */
    static FakePci bare(int type, FakePci device) {
        device.put(2, 2, 0x1040 + type);
        device.bar(0, 0x4000, 0x4);
        device.virtio(1, 0, 0, 0x40);
        device.notifications(0, 0x1000, 0x1000, 4);
        device.virtio(3, 0, 0x2000, 1);
        return device;
    }

    /** A scanned function, its log empty. */
    static PciDriverTransport transport(FakePci device) {
        PciDriverTransport transport = new FakePciBus().with(0, 0, device).host().scan().getFirst();
        device.log.clear();
        return transport;
    }

    private static FakePci bare(long multiplier, int notifyOff) {
        FakePci device = bare(23);
        device.put(0x50 + 16, 4, multiplier);
        device.set(0, 0x1e, notifyOff);
        return device;
    }
}
