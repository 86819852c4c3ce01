// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.fixture.RecordingDevice;

/** Section 4.1.4.9: the structures through configuration space, for who cannot map BARs. */
class ConfigurationWindowTest {

    private final PciGuest guest = PciGuest.sendingMessages();
    private int window;

    @BeforeEach
    void findWindow() {
        window = guest.virtioCapability(PciSpec.CFG_PCI);
    }

    @AfterEach
    void close() {
        guest.close();
    }

    @Test
    @DisplayName("4.1.4.9.1: reading the data reads from the BAR, whether or not memory space is enabled")
    void shouldReadAStructureThroughItsData() {
        point(4, guest.common + PciSpec.NUM_QUEUES, 2);
        assertEquals(2, guest.read(window + 16, 2));
        point(4, guest.config, 4);
        assertEquals(0x8382_8180, guest.read(window + 16, 4));
        assertEquals(0x81, guest.read(window + 17, 1));
        point(4, guest.config + 1, 1);
        assertEquals(0x81, guest.read(window + 16, 1));
    }

    @Test
    @DisplayName("4.1.4.9.1: only the first cap.length bytes of the data are replaced")
    void shouldKeepTheDataBehindTheLength() {
        point(4, guest.config, 4);
        guest.read(window + 16, 4);
        point(4, guest.config + 4, 1);
        assertEquals(0x8382_8184, guest.read(window + 16, 4));
    }

    @Test
    @DisplayName("4.1.4.9.1: writing the data writes its first cap.length bytes to the BAR")
    void shouldWriteAStructureThroughItsData() {
        point(4, guest.common + PciSpec.DEVICE_STATUS, 1);
        guest.write(window + 16, 4, 0xffff_ff01);
        guest.write(window + 16, 1, 3);
        assertEquals(3, guest.read(window + 16, 1));
        point(4, guest.config + 8, 2);
        guest.write(window + 16, 2, 0xbeef);
        assertEquals(0xbeef, guest.device.readConfig(8, 2));
        assertEquals(0x8a, guest.device.readConfig(10, 1));
    }

    @Test
    void shouldNotifyAndTakeIsrStatusThroughTheWindow() {
        guest.start();
        guest.command(PciSpec.BUS_MASTER);
        point(4, guest.notify + 4, 2);
        guest.write(window + 16, 2, 1);
        assertEquals(List.of(1), guest.device.kicks());
        guest.context().interrupt(0);
        point(4, guest.isr, 1);
        assertEquals(1, guest.read(window + 16, 1));
        assertEquals(0, guest.read(window + 16, 1));
    }

    @Test
    @DisplayName("4.1.4.9.2: no access with another length, misaligned, or outside of every structure")
    void shouldAccessNothingWhenItPointsNowhere() {
        for (int length : new int[] {0, 3, 5, 8, -1, 0x100, 0x8000_0000}) {
            assertNoAccess(4, guest.common + PciSpec.DEVICE_STATUS, length);
        }
        for (int bar : new int[] {0, 1, 3, 5, 6, 0xff}) {
            assertNoAccess(bar, guest.common + PciSpec.DEVICE_STATUS, 1);
        }
        assertNoAccess(4, guest.common + 1, 2);
        assertNoAccess(4, guest.config + 2, 4);
        assertNoAccess(4, guest.common + 0x40, 4);
        assertNoAccess(4, guest.isr + 1, 1);
        assertNoAccess(4, guest.notify + 8, 2);
        assertNoAccess(4, guest.config + RecordingDevice.CONFIG_SIZE, 1);
        assertNoAccess(4, 0xffff_fffcL, 4);
        assertNoAccess(4, 0x8000_0000L, 4);
    }

    private void assertNoAccess(int bar, long offset, int length) {
        point(bar, offset, length);
        guest.write(window + 16, 4, 1);
        assertEquals(0, guest.read(window + 16, 4), "bar " + bar + ", offset " + offset + ", length " + length);
        point(4, guest.common + PciSpec.DEVICE_STATUS, 1);
        assertEquals(0, guest.read(window + 16, 1));
    }

    @Test
    void shouldAccessNothingWhenSomethingElseIsReadOrWritten() {
        guest.start();
        guest.context().interrupt(0);
        point(4, guest.isr, 1);
        for (int at = 0; at < 0x100; at += 4) {
            if (at != window + 16) {
                guest.read(at, 4);
            }
        }
        assertEquals(1, guest.isr());
    }

    private void point(int bar, long offset, int length) {
        guest.write(window + 4, 1, bar);
        guest.write(window + 8, 4, (int) offset);
        guest.write(window + 12, 4, length);
        assertEquals(bar, guest.read(window + 4, 1));
        assertEquals((int) offset, guest.read(window + 8, 4));
        assertEquals(length, guest.read(window + 12, 4));
    }
}
