// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.iommu.DriverResult;
import org.virtio4j.driver.iommu.EarlyTopology;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.driver.iommu.TopologyItem;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.fixture.Allocations;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.iommu.TopologyConfig;
import org.virtio4j.wire.iommu.TopologyEndpoint;
import org.virtio4j.wire.iommu.TopologyPciRange;

/** The profile of an IOMMU that describes its topology in its configuration space, which no stock guest meets. */
class TopologyProfileTest extends IommuTests {

    private static final int BIT = 6;
    private static final int HEAD = 48;

    /** Two items, with every byte of the second different. */
    private static final byte[] ITEMS = items();

    private static byte[] items() {
        ByteBuffer bytes = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putShort((short) TopologyConfig.TYPE_PCI_RANGE);
        bytes.putShort((int) TopologyPciRange.HIERARCHY, (short) 0x8001);
        bytes.putShort((int) TopologyPciRange.REQUESTER_START, (short) 0x10);
        bytes.putShort((int) TopologyPciRange.REQUESTER_END, (short) 0xffff);
        bytes.putInt((int) TopologyPciRange.ENDPOINT_START, DISK);
        bytes.putShort(16, (short) TopologyConfig.TYPE_ENDPOINT);
        bytes.putShort(18, (short) 0x9a9b);
        bytes.putInt(16 + (int) TopologyEndpoint.ENDPOINT, 0x8182_8384);
        bytes.putLong(16 + (int) TopologyEndpoint.ADDRESS, 0x9192_9394_9596_9798L);
        return bytes.array();
    }

    private static VirtioIommuBuilder described() {
        return iommu().topology(16, ITEMS);
    }

    private static long read(IommuMachine machine, long offset, int width) {
        return machine.transport().readConfig(offset, width);
    }

    @Test
    @DisplayName("5.13.3: an IOMMU shows nothing of the profile unless it is asked to")
    void shouldShowNothingByDefault() {
        IommuMachine machine = powerOn(iommu().bootBypass(true));
        assertTrue(machine.offered().has(BIT), "BYPASS_CONFIG, as in the standard");
        assertEquals(1, read(machine, TopologyConfig.OFFSET, 4), "the bypass byte");
        for (long offset = 40; offset < HEAD; offset += 4) {
            assertEquals(0, read(machine, offset, 4));
        }
        assertEquals(40, machine.iommu().info().configSize());
        assertEquals(EarlyTopology.Outcome.BYPASS_CONFIG, EarlyTopology.read(machine.transport()).outcome());
        IommuMachine without = powerOn(iommu().without(BIT));
        assertEquals(EarlyTopology.Outcome.NOT_OFFERED, EarlyTopology.read(without.transport()).outcome());
    }

    @Test
    @DisplayName("profile: offset, number and length follow probe_size, the items follow those, and there it ends")
    void shouldShowItems() {
        IommuMachine machine = powerOn(described());
        assertTrue(machine.offered().has(BIT));
        assertTrue(powerOn(described().without(BIT)).offered().has(BIT), "the bit is not BYPASS_CONFIG here");
        assertEquals(HEAD, read(machine, TopologyConfig.OFFSET, 4));
        assertEquals(2, read(machine, TopologyConfig.NUM_ITEMS, 4));
        assertEquals(16, read(machine, TopologyConfig.ITEM_LENGTH, 4));
        assertEquals(HEAD + ITEMS.length, machine.iommu().info().configSize());
        for (int i = 0; i < ITEMS.length; i++) {
            assertEquals(ITEMS[i] & 0xff, read(machine, HEAD + i, 1));
        }
    }

    @Test
    @DisplayName("profile: reads of every width and offset show the bytes, and 0 where one byte lies outside")
    void shouldReadEveryWidthAtEveryOffset() {
        IommuMachine machine = powerOn(described());
        int size = HEAD + ITEMS.length;
        byte[] all = new byte[size + 16];
        for (int i = 0; i < size; i++) {
            all[i] = (byte) machine.iommu().readConfig(i, 1);
        }
        ByteBuffer bytes = ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN);
        for (int offset = 0; offset < size + 8; offset++) {
            assertEquals(offset < size ? bytes.get(offset) & 0xff : 0, read(machine, offset, 1));
            assertEquals(offset + 2 <= size ? bytes.getShort(offset) & 0xffff : 0, read(machine, offset, 2));
            assertEquals(offset + 4 <= size ? bytes.getInt(offset) & 0xffff_ffffL : 0, read(machine, offset, 4));
            if (offset + 8 <= size) {
                assertEquals(bytes.getLong(offset), read(machine, offset, 8));
            }
        }
    }

    @Test
    @DisplayName("profile: nothing can be written, neither before FEATURES_OK nor after")
    void shouldTakeNoWrites() {
        IommuMachine machine = start(described());
        for (int offset = 0; offset < HEAD + ITEMS.length + 8; offset++) {
            for (int width = 1; width <= 8; width *= 2) {
                long before = read(machine, offset, 1);
                machine.transport().writeConfig(offset, width, 0);
                machine.transport().writeConfig(offset, width, 1);
                assertEquals(before, read(machine, offset, 1));
            }
        }
        assertEquals(HEAD, read(machine, TopologyConfig.OFFSET, 4));
        assertBlocked(machine, DISK);
    }

    @Test
    @DisplayName("profile: what the boot says of bypass holds for good, through resets of every kind")
    void shouldKeepBypassOfBoot() {
        for (boolean on : new boolean[] {false, true}) {
            IommuMachine machine = powerOn(described().bootBypass(on));
            assertBypass(machine, on);
            machine.start();
            machine.writeBypass(on ? 0 : 1);
            assertBypass(machine, on);
            int generation = machine.transport().configGeneration();
            for (ResetKind kind : ResetKind.values()) {
                machine.reset(kind);
                assertBypass(machine, on);
                assertEquals(HEAD, machine.bypass(), "the lowest byte of offset lies where the bypass byte would");
                machine.start();
                machine.writeBypass(on ? 0 : 1);
                assertBypass(machine, on);
            }
            assertEquals(generation, machine.transport().configGeneration(), "nothing has changed");
        }
    }

    private static void assertBypass(IommuMachine machine, boolean on) {
        if (on) {
            assertIdentity(machine, DISK);
        } else {
            assertBlocked(machine, DISK);
        }
    }

    @Test
    @DisplayName("profile: ATTACH with the flag BYPASS is INVAL, accepted bit or not, and changes nothing")
    void shouldRefuseBypassDomains() {
        IommuMachine machine = start(described());
        assertTrue(machine.driver().negotiated().has(BIT));
        assertEquals(Spec.INVAL, machine.status(Requests.attachBypass(ONE, DISK)));
        assertEquals(0, machine.iommu().liveDomains());
        machine.ok(Requests.attach(ONE, DISK));
        assertEquals(Spec.INVAL, machine.status(Requests.attachBypass(TWO, DISK)));
        machine.ok(Requests.map(ONE, 0x1000, 0x1fff, 0x8000));
        assertMapped(machine, DISK, 0x1000, 0x8000);
        machine.resetDevice();
        machine.start(machine.offered().without(BIT));
        assertEquals(Spec.INVAL, machine.status(Requests.attachBypass(ONE, DISK)));
    }

    @Test
    @DisplayName("profile: an early driver finds each device, and the driver that comes after it finds a fresh device")
    void shouldBeReadByAnEarlyDriver() {
        IommuMachine machine = powerOn(described());
        EarlyTopology found = EarlyTopology.read(machine.transport());
        assertEquals(EarlyTopology.Outcome.FOUND, found.outcome());
        assertEquals(List.of(new TopologyItem.PciFunctions(0x8001, 0x10, 0xffff, DISK),
                new TopologyItem.PlatformDevice(0x9192_9394_9596_9798L, 0x8182_8384)), found.items());
        assertEquals(OptionalInt.of(NIC), found.endpoint(0x8001, 0x11));
        assertEquals(OptionalInt.of(0x8182_8384), found.endpoint(0x9192_9394_9596_9798L));
        assertEquals(0, machine.transport().status());
        machine.start();
        machine.ok(Requests.attach(ONE, found.endpoint(0x8001, 0x11).orElseThrow()));
    }

    @Test
    @DisplayName("profile: a driver of the standard takes the bit for BYPASS_CONFIG, and its identity domains fail")
    void shouldBeHalfUsableForADriverOfTheStandard() {
        IommuMachine machine = powerOn(described());
        IommuDriver linux = new IommuDriver(machine.transport(), machine.ram(), answer -> { });
        assertEquals(StartResult.OK, linux.start());
        assertTrue(linux.device().negotiated().has(BIT));
        assertEquals(HEAD, linux.bypass(), "neither 0 nor 1");
        assertEquals(Spec.INVAL, statusOf(linux, linux.attach(1, ONE, DISK, 1)));
        assertEquals(Spec.OK, statusOf(linux, linux.attach(2, ONE, DISK, 0)));
        assertEquals(DriverResult.OK, linux.map(3, ONE, 0x1000, 0x1fff, 0x8000, Spec.MAP_F_READ | Spec.MAP_F_WRITE));
        assertEquals(Spec.OK, statusOf(linux, linux.sync()));
        assertMapped(machine, DISK, 0x1000, 0x8000);
    }

    private static int statusOf(IommuDriver driver, DriverResult result) {
        assertEquals(DriverResult.OK, result);
        return driver.last().status();
    }

    @Test
    @DisplayName("profile: items of any length are shown as they are")
    void shouldShowItemsOfOtherLengths() {
        IommuMachine longer = powerOn(iommu().topology(24, new byte[48]));
        assertEquals(2, read(longer, TopologyConfig.NUM_ITEMS, 4));
        assertEquals(24, read(longer, TopologyConfig.ITEM_LENGTH, 4));
        EarlyTopology found = EarlyTopology.read(longer.transport());
        assertEquals(EarlyTopology.Outcome.FOUND, found.outcome());
        assertEquals(2, found.skipped());
        EarlyTopology none = EarlyTopology.read(powerOn(iommu().topology(16, new byte[0])).transport());
        assertEquals(EarlyTopology.Outcome.FOUND, none.outcome());
        assertEquals(List.of(), none.items());
    }

    @Test
    @DisplayName("profile: what does not fit is refused, and the message says how much does")
    void shouldRefuseWhatDoesNotFit() {
        assertRefused("itemLength=1, but each item begins with a type of 2 bytes", 1, 16);
        assertRefused("itemLength=0, but", 0, 0);
        assertRefused("items=17 bytes are not whole items of itemLength=16; fill", 16, 17);
        assertRefused("items=4064 bytes, but a PCI function has room for 4048 bytes of them", 16, 4064);
        int most = transport.isPci() ? 253 : 13;
        EarlyTopology found = EarlyTopology.read(powerOn(iommu().topology(16, new byte[16 * most])).transport());
        assertEquals(most, found.skipped());
        if (!transport.isPci()) {
            assertLargerWindowShows(253);
            VirtioIommuBuilder more = iommu().topology(16, new byte[16 * (most + 1)]);
            String message = assertThrows(IllegalArgumentException.class, () -> powerOn(more)).getMessage();
            assertTrue(String.valueOf(message).startsWith("configSize=272, but a window of 512 bytes has room for 256"),
                    message);
        }
    }

    private static void assertLargerWindowShows(int items) {
        long size = 0x1100;
        try (GuestMemory memory = GuestMemory.anonymous(0, 4096);
                VirtioMmioDevice window = VirtioMmioDevice.of(iommu().topology(16, new byte[16 * items]).build(),
                        DmaSpace.identity(memory), level -> { }, size)) {
            assertEquals(items, EarlyTopology.read(MmioDriverTransport.of(window, size)).skipped());
            assertEquals(EarlyTopology.Outcome.OUT_OF_BOUNDS,
                    EarlyTopology.read(MmioDriverTransport.of(window)).outcome());
        }
    }

    private static void assertRefused(String message, int itemLength, int bytes) {
        String said = assertThrows(IllegalArgumentException.class,
                () -> iommu().topology(itemLength, new byte[bytes])).getMessage();
        assertTrue(String.valueOf(said).startsWith(message), said);
    }

    @Test
    @DisplayName("profile: the caller's bytes are copied")
    void shouldKeepItsOwnBytes() {
        byte[] bytes = items();
        VirtioIommuBuilder builder = iommu().topology(16, bytes);
        bytes[0] = 77;
        assertEquals(1, read(powerOn(builder), HEAD, 1));
    }

    @Test
    @DisplayName("profile: reading the configuration allocates nothing")
    void shouldReadWithoutAllocating() {
        VirtioIommu device = described().build();
        long[] sum = new long[1];
        Allocations.assertNone(10_000, () -> {
            for (int i = 0; i < 64; i++) {
                sum[0] += device.readConfig(i, 8) + device.readConfig(i, 4);
            }
        });
        assertNotEquals(0, sum[0]);
    }
}
