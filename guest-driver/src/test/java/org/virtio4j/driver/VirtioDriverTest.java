// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.virtio4j.driver.hostile.RawRing;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.MmioRegister;

class VirtioDriverTest {

    private static final FeatureSet WANTED = FeatureSet.of(FeatureBit.VERSION_1, FeatureBit.EVENT_IDX, 5, 100);

    private final FakeMmio window = new FakeMmio();
    private final VirtioDriver driver = new VirtioDriver(MmioDriverTransport.of(window), WANTED);

    @Test
    void shouldTakeTheStepsInOrderWhenItBegins() {
        assertEquals(StartResult.OK, driver.begin());
        assertEquals(List.of("0", "1", "3", "b"), window.statusWrites());
        assertEquals(StartResult.OK, driver.driverOk());
        assertEquals(List.of("0", "1", "3", "b", "f"), window.statusWrites());
    }

    @Test
    void shouldAcceptWhatIsOfferedAndWantedWhenItNegotiates() {
        window.offeredLow |= (1L << FeatureBit.EVENT_IDX) | (1L << 6);
        window.offeredHigh = 1L << (100 - 64);
        assertEquals(StartResult.OK, driver.negotiate());

        assertEquals(FeatureSet.of(FeatureBit.VERSION_1, FeatureBit.EVENT_IDX, 100), driver.negotiated());
        assertTrue(window.log.containsAll(List.of("W4 20 20000000", "W4 20 1", "W4 20 0", "W4 20 10")));
    }

    @Test
    void shouldEndAndSaySoWhenTheDeviceIsLegacy() {
        window.offeredLow = 1;
        assertEquals(StartResult.NOT_VERSION_1, driver.begin());
        assertEquals(List.of("0", "1", "3", "83"), window.statusWrites());
        assertEquals(FeatureSet.NONE, driver.negotiated());
    }

    @Test
    void shouldEndAndSaySoWhenFeaturesOkDoesNotReadBack() {
        window.refused = DeviceStatus.FEATURES_OK;
        assertEquals(StartResult.FEATURES_REFUSED, driver.begin());
        assertEquals(List.of("0", "1", "3", "b", "83"), window.statusWrites());
    }

    @Test
    void shouldSaySoWhenTheDeviceIsNotLiveAfterDriverOk() {
        window.refused = DeviceStatus.DRIVER_OK;
        assertEquals(StartResult.NOT_LIVE, driver.driverOk());
        window.registers[(int) MmioRegister.STATUS] = DeviceStatus.NEEDS_RESET;
        window.refused = 0;
        assertEquals(StartResult.NOT_LIVE, driver.driverOk());
    }

    @Test
    void shouldGiveUpWhenAResetNeverEnds() {
        VirtioDriver stuck = new VirtioDriver(MmioDriverTransport.of(new FakeMmio() {
            @Override
            public long read(long offset, int width) {
                return offset == MmioRegister.STATUS ? 1 : registers[(int) offset];
            }
        }), WANTED);
        assertEquals(StartResult.RESET_NOT_DONE, stuck.reset());
    }

    @Test
    void shouldKickOnlyWhenTheDeviceWantsTo() {
        try (GuestMemory memory = GuestMemory.anonymous(0, 1 << 20)) {
            DriverQueue queue = driver.queue(1, QueueMemory.pageAligned(new GuestRam(memory, 0, 1 << 20), 16));
            assertEquals(StartResult.OK, driver.enable(queue));
            window.log.clear();
            queue.add(1, 0x100, 1, 0, 0);
            assertTrue(driver.kick(queue));
            assertEquals(List.of("W4 50 1"), window.log);
            new RawRing(queue.memory()).usedFlags(1);
            queue.add(2, 0x100, 1, 0, 0);
            assertFalse(driver.kick(queue));
        }
    }

    @Test
    void shouldSaySoWhenAQueueIsNotThereOrStaysDisabled() {
        try (GuestMemory memory = GuestMemory.anonymous(0, 1 << 20)) {
            DriverQueue queue = driver.queue(1, QueueMemory.pageAligned(new GuestRam(memory, 0, 1 << 20), 16));
            window.registers[(int) MmioRegister.QUEUE_SIZE_MAX] = 0;
            assertEquals(StartResult.NO_SUCH_QUEUE, driver.enable(queue));
        }
    }
}
