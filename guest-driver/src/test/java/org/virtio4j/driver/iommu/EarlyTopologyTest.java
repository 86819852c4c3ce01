// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.virtio4j.driver.FakeMmio;
import org.virtio4j.driver.Seed;
import org.virtio4j.driver.iommu.EarlyTopology.Outcome;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.wire.MmioRegister;

/** A device that is not to be trusted describes its topology. */
class EarlyTopologyTest {

    private static final int WINDOW = 0x200;
    private static final long BIT = 1L << 6;

    /** Shows any bytes as its configuration, and notices who reads beyond them. */
    private static class Device extends FakeMmio {

        final ByteBuffer config = ByteBuffer.allocate(WINDOW - 0x100).order(ByteOrder.LITTLE_ENDIAN);
        boolean strayed;

        /** How many reads of the generation give a new one. */
        int changes;

        Device() {
            offeredLow |= BIT;
        }

        /** Where items lie, how many there are and how long they are. */
        Device header(int offset, int count, int length) {
            config.putInt(36, offset).putInt(40, count).putInt(44, length);
            return this;
        }

        Device range(int at, int segment, int first, int last, int endpoint) {
            config.putShort(at, (short) 1).putShort(at + 2, (short) segment).putShort(at + 4, (short) first)
                    .putShort(at + 6, (short) last).putInt(at + 8, endpoint);
            return this;
        }

        Device endpoint(int at, int endpoint, long address) {
            config.putShort(at, (short) 2).putInt(at + 4, endpoint).putLong(at + 8, address);
            return this;
        }

        @Override
        public long read(long offset, int width) {
            if (offset == MmioRegister.CONFIG_GENERATION && changes > 0) {
                changes--;
                registers[(int) offset]++;
            }
            if (offset < MmioRegister.CONFIG) {
                return super.read(offset, width);
            }
            int at = (int) Math.min(offset - MmioRegister.CONFIG, Integer.MAX_VALUE);
            if (at % width != 0 || at > config.capacity() - width) {
                strayed = true;
                return 0;
            }
            return switch (width) {
                case 1 -> config.get(at) & 0xffL;
                case 2 -> config.getShort(at) & 0xffffL;
                default -> config.getInt(at) & 0xffff_ffffL;
            };
        }

        EarlyTopology readTopology() {
            EarlyTopology found = EarlyTopology.read(MmioDriverTransport.of(this, WINDOW));
            assertTrue(!strayed, "read outside the configuration, or not aligned");
            return found;
        }
    }

    private final Device device = new Device();

    @Test
    void shouldReadBothKindsOfItem() {
        EarlyTopology found = device.header(48, 3, 16).range(48, 1, 0x10, 0xffff, 0xffff_0000)
                .endpoint(64, -2, 0x1_0000_2000L).range(80, 0, 0, 7, 0x100).readTopology();
        assertEquals(Outcome.FOUND, found.outcome());
        assertEquals(List.of(new TopologyItem.PciFunctions(1, 0x10, 0xffff, 0xffff_0000),
                new TopologyItem.PlatformDevice(0x1_0000_2000L, -2), new TopologyItem.PciFunctions(0, 0, 7, 0x100)),
                found.items());
        assertEquals(0, found.skipped());
        assertEquals(OptionalInt.of(0xffff_0001), found.endpoint(1, 0x11));
        assertEquals(OptionalInt.of(0x107), found.endpoint(0, 7));
        assertEquals(OptionalInt.empty(), found.endpoint(0, 8));
        assertEquals(OptionalInt.empty(), found.endpoint(1, 0xf));
        assertEquals(OptionalInt.empty(), found.endpoint(2, 0x11));
        assertEquals(OptionalInt.of(-2), found.endpoint(0x1_0000_2000L));
        assertEquals(OptionalInt.empty(), found.endpoint(0x2000L));
    }

    @Test
    void shouldTakeTheStepsOfEveryDriverAndResetAtTheEnd() {
        device.header(48, 0, 16).readTopology();
        assertEquals(List.of("0", "1", "3", "b", "0"), device.statusWrites());
    }

    @Test
    void shouldReadADeviceThatKnowsNoFeaturesOk() {
        device.offeredLow = BIT;
        assertEquals(Outcome.FOUND, device.header(48, 1, 16).endpoint(48, 5, 0x1000).readTopology().outcome());
        assertEquals(List.of("0", "1", "3", "0"), device.statusWrites());
    }

    @Test
    void shouldAcceptNothingButWhatItNeeds() {
        device.offeredLow = -1;
        device.header(48, 0, 16).readTopology();
        List<String> accepted = device.log.stream().filter(entry -> entry.startsWith("W4 20 ")).toList();
        assertEquals(List.of("W4 20 40", "W4 20 3", "W4 20 0", "W4 20 0"), accepted);
    }

    @Test
    void shouldLeaveOtherDevicesAlone() {
        device.registers[(int) MmioRegister.DEVICE_ID] = 2;
        assertEquals(Outcome.NOT_AN_IOMMU, device.readTopology().outcome());
        assertEquals(List.of(), device.statusWrites());
    }

    @Test
    void shouldResetADeviceThatDoesNotOfferTheBit() {
        device.offeredLow &= ~BIT;
        assertEquals(Outcome.NOT_OFFERED, device.header(48, 0, 16).readTopology().outcome());
        assertEquals(List.of("0", "1", "3", "0"), device.statusWrites());
    }

    @Test
    void shouldResetADeviceThatRefusesFeatures() {
        device.refused = 8;
        assertEquals(Outcome.FEATURES_REFUSED, device.header(48, 0, 16).readTopology().outcome());
        assertEquals("0", device.statusWrites().getLast());
    }

    @Test
    void shouldGiveUpOnADeviceThatIsNotReset() {
        Device stuck = new Device() {
            @Override
            public void write(long offset, int width, long value) {
                super.write(offset, width, offset == MmioRegister.STATUS ? value | 1 : value);
            }
        };
        assertEquals(Outcome.RESET_NOT_DONE, stuck.readTopology().outcome());
    }

    @Test
    void shouldReadAgainWhenTheConfigurationChanged() {
        device.changes = 3;
        assertEquals(1, device.header(48, 1, 16).endpoint(48, 5, 0x1000).readTopology().items().size());
        device.changes = Integer.MAX_VALUE;
        assertEquals(Outcome.CONFIG_UNSTABLE, device.readTopology().outcome());
        assertEquals("0", device.statusWrites().getLast());
    }

    @ParameterizedTest
    @CsvSource({
        // The standard's configuration: the bypass byte, off and on.
        "0, 0, 0, BYPASS_CONFIG", "1, 0, 0, BYPASS_CONFIG",
        // Inside the fields, or not aligned.
        "2, 1, 16, BAD_LAYOUT", "44, 1, 16, OUT_OF_BOUNDS", "50, 1, 16, BAD_LAYOUT", "48, 1, 18, BAD_LAYOUT",
        // Too short to have all fields.
        "48, 1, 0, BAD_LAYOUT", "48, 1, 12, BAD_LAYOUT", "48, -1, 0, BAD_LAYOUT",
        // Where the configuration ends.
        "48, 13, 16, FOUND", "48, 14, 16, OUT_OF_BOUNDS", "240, 1, 16, FOUND", "244, 1, 16, OUT_OF_BOUNDS",
        "48, 1, 208, FOUND", "48, 1, 212, OUT_OF_BOUNDS", "256, 0, 16, FOUND", "256, 0, 0, FOUND",
        "260, 0, 16, OUT_OF_BOUNDS", "-4, 1, 16, OUT_OF_BOUNDS", "-4, 0, 0, OUT_OF_BOUNDS",
        // Products that wrap: 2^32 * 16 and near 2^64, and sums that do.
        "48, -1, 16, OUT_OF_BOUNDS", "48, -1, -4, OUT_OF_BOUNDS", "48, 268435456, 16, OUT_OF_BOUNDS",
        "48, 1, -4, OUT_OF_BOUNDS", "48, 1073741824, 1073741824, OUT_OF_BOUNDS", "-48, 3, 16, OUT_OF_BOUNDS"})
    void shouldCheckOffsetCountAndLength(int offset, int count, int length, Outcome outcome) {
        assertEquals(outcome, device.header(offset, count, length).readTopology().outcome());
        assertEquals("0", device.statusWrites().getLast());
    }

    @Test
    void shouldCallASmallConfigurationThatOfTheStandard() {
        device.header(48, 1, 16).endpoint(48, 5, 0x1000);
        for (long size : new long[] {0, 0x100, 0x100 + 40, 0x100 + 47}) {
            assertEquals(Outcome.BYPASS_CONFIG, EarlyTopology.read(MmioDriverTransport.of(device, size)).outcome());
        }
    }

    @Test
    void shouldReadNoMoreItemsThanTheLimit() {
        device.header(48, EarlyTopology.MOST_ITEMS + 1, 16);
        EarlyTopology found = EarlyTopology.read(MmioDriverTransport.of(device, Long.MAX_VALUE));
        assertEquals(Outcome.TOO_MANY_ITEMS, found.outcome());
        device.header(48, EarlyTopology.MOST_ITEMS, 16);
        assertEquals(Outcome.FOUND, EarlyTopology.read(MmioDriverTransport.of(device, Long.MAX_VALUE)).outcome());
    }

    @Test
    void shouldSkipWhatItDoesNotKnowAndReadLongerItems() {
        device.header(52, 4, 24).range(52, 3, 5, 5, 9).endpoint(100, 7, 0xabcd_0000L);
        device.config.putShort(76, (short) 3).putShort(124, (short) 0xffff);
        EarlyTopology found = device.readTopology();
        assertEquals(List.of(new TopologyItem.PciFunctions(3, 5, 5, 9),
                new TopologyItem.PlatformDevice(0xabcd_0000L, 7)), found.items());
        assertEquals(2, found.skipped());
    }

    @Test
    void shouldSkipRangesThatContradictThemselves() {
        EarlyTopology found = device.header(48, 3, 16).range(48, 0, 6, 5, 0).range(64, 0, 0, 0xffff, 0xffff_0001)
                .range(80, 0, 0, 0xffff, 0xffff_0000).readTopology();
        assertEquals(1, found.items().size());
        assertEquals(2, found.skipped());
        assertEquals(OptionalInt.of(-1), found.endpoint(0, 0xffff));
    }

    @Test
    void shouldTakeTheFirstOfTwoItems() {
        EarlyTopology found = device.header(48, 4, 16).range(48, 0, 0, 9, 100).range(64, 0, 5, 5, 200)
                .endpoint(80, 1, 0x1000).endpoint(96, 2, 0x1000).readTopology();
        assertEquals(OptionalInt.of(105), found.endpoint(0, 5));
        assertEquals(OptionalInt.of(1), found.endpoint(0x1000L));
    }

    @Test
    void shouldSurviveRandomConfigurations() {
        Random random = Seed.random();
        byte[] bytes = new byte[WINDOW - 0x100];
        for (int i = 0; i < 20_000; i++) {
            random.nextBytes(bytes);
            if (i % 2 == 0) {
                Arrays.fill(bytes, 37, 48, (byte) 0);
                bytes[36] = (byte) (random.nextInt(64) * 4);
                bytes[40] = (byte) random.nextInt(16);
                bytes[44] = (byte) (16 + 4 * random.nextInt(8));
            }
            device.config.put(0, bytes);
            device.log.clear();
            EarlyTopology found = device.readTopology();
            assertTrue(found.outcome() == Outcome.FOUND || found.items().isEmpty());
            assertEquals("0", device.statusWrites().getLast());
        }
    }
}
