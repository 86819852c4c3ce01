// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Interrupt messages; the table of three vectors is at 0:200, the pending bits are at 0:400. */
class MsixTableTest {

    private final FakePci fake = FakePci.complete();
    private final PciDriverTransport transport = PciDriverTransportTest.transport(fake);

    @Test
    void shouldTakeTheCountFromTheMessageControl() {
        assertEquals(3, transport.vectorCount());
        assertEquals(2048, transport(2048, 0, 0x8000, 0x1_0000).vectorCount());
        assertEquals(1, transport(1, 0xff0, 0xff8, 0x1000).vectorCount());
    }

    @Test
    void shouldHaveNoVectorsWhenTheTableLiesInNoBar() {
        assertEquals(0, transport(2, 0xff0, 0x800, 0x1000).vectorCount());
        assertEquals(0, transport(65, 0x0, 0xff8, 0x1000).vectorCount());
        assertEquals(0, transport(2, 0x3, 0x800, 0x1000).vectorCount());
        assertEquals(0, transport(2, 0x0, 0x807, 0x1000).vectorCount());
    }

    @Test
    void shouldMaskAVectorWhileItsMessageChanges() {
        transport.writeVector(2, 0x1_fee0_1004L, 0xffff_0001, false);
        assertEquals(List.of("W4 0:22c 1", "W4 0:220 fee01004", "W4 0:224 1", "W4 0:228 ffff0001", "W4 0:22c 0"),
                fake.log);
        fake.log.clear();
        transport.writeVector(0, 0xfee0_0000L, 5, true);
        assertEquals(List.of("W4 0:20c 1", "W4 0:200 fee00000", "W4 0:204 0", "W4 0:208 5"), fake.log);
    }

    @Test
    void shouldWriteTheVectorControlAloneWhenAVectorIsMasked() {
        transport.maskVector(1, true);
        transport.maskVector(1, false);
        assertEquals(List.of("W4 0:21c 1", "W4 0:21c 0"), fake.log);
    }

    @Test
    void shouldReadTheBitOfTheVectorWhenAskedWhatIsPending() {
        fake.set(0, 0x400, 0b100);
        assertTrue(transport.isPending(2));
        assertFalse(transport.isPending(1));
        assertEquals(List.of("R4 0:400", "R4 0:400"), fake.log);
    }

    @Test
    void shouldReadTheWordOfTheVectorWhenThereAreMany() {
        FakePci many = device(2048, 0, 0x8000, 0x1_0000);
        PciDriverTransport driver = PciDriverTransportTest.transport(many);
        many.set(0, 0x80fc, 0x8000_0000L);
        assertTrue(driver.isPending(2047));
        assertFalse(driver.isPending(2015));
        assertEquals(List.of("R4 0:80fc", "R4 0:80f8"), many.log);
    }

    @Test
    void shouldKeepTheOtherSwitchWhenOneIsTurned() {
        transport.enableMessages(true);
        transport.maskFunction(true);
        transport.enableMessages(false);
        transport.maskFunction(false);
        assertEquals(List.of("R2 82", "W2 82 8002", "R2 82", "W2 82 c002", "R2 82", "W2 82 4002", "R2 82", "W2 82 2"),
                fake.log);
    }

    @Test
    @DisplayName("4.1.5.1.2: a mapping is verified by reading it back")
    void shouldReadBackWhenAnEventIsMapped() {
        assertTrue(transport.configVector(1));
        assertTrue(transport.queueVector(4, 0xffff));
        assertEquals(List.of("W2 2:1010 1", "R2 2:1010", "W2 2:1016 4", "W2 2:101a ffff", "R2 2:101a"), fake.log);
    }

    @Test
    void shouldSaySoWhenTheDeviceCannotMap() {
        FakePci full = PciDriverTransportTest.bare(23, new FakePci(0x1057) {
            @Override
            void writeBar(int bar, long offset, int width, long value) {
                set(bar, offset, offset == 0x10 || offset == 0x1a ? 0xffff : value);
            }
        });
        PciDriverTransport driver = PciDriverTransportTest.transport(full);
        assertFalse(driver.configVector(0));
        assertFalse(driver.queueVector(0, 1));
    }

    @Test
    void shouldThrowWhenThereIsNoSuchVector() {
        assertEquals("vector=3, but the table has vectorCount=3, counted from 0",
                assertThrows(IllegalArgumentException.class, () -> transport.maskVector(3, true)).getMessage());
        assertThrows(IllegalArgumentException.class, () -> transport.writeVector(-1, 0, 0, false));
        assertThrows(IllegalArgumentException.class, () -> transport.isPending(3));
        PciDriverTransport without = PciDriverTransportTest.transport(PciDriverTransportTest.bare(23));
        assertEquals(0, without.vectorCount());
        assertEquals("vectorCount=0: the function has no MSI-X table; ask vectorCount() first",
                assertThrows(IllegalStateException.class, () -> without.enableMessages(true)).getMessage());
    }

    private static PciDriverTransport transport(int vectors, long table, long pending, long barSize) {
        return PciDriverTransportTest.transport(device(vectors, table, pending, barSize));
    }

    private static FakePci device(int vectors, long table, long pending, long barSize) {
        FakePci device = new FakePci(0x1057);
        device.bar(0, barSize, 0x0);
        device.bar(4, 0x1000, 0x4);
        device.virtio(1, 4, 0, 0x40);
        device.notifications(4, 0x100, 0x100, 4);
        device.virtio(3, 4, 0x200, 1);
        device.msix(vectors, table, pending);
        return device;
    }
}
