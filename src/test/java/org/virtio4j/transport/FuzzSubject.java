// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.QueueMemory;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.driver.iommu.DriverResult;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.driver.iommu.IommuDriverOptions;
import org.virtio4j.fixture.RecordingDevice;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.ReservedRegions;

/** The devices whose registers are accessed at random. */
enum FuzzSubject {

    /** One that does little. */
    FAKE(Fake::new),
    /** A real one. */
    IOMMU(Iommu::new);

    @SuppressWarnings("ImmutableEnumChecker") // constructors
    private final Supplier<RegisterFuzz.Subject> make;

    FuzzSubject(Supplier<RegisterFuzz.Subject> make) {
        this.make = make;
    }

    RegisterFuzz.Subject make() {
        return make.get();
    }

    private static final class Fake implements RegisterFuzz.Subject {

        private final RecordingDevice device = new RecordingDevice();
        private @Nullable QueueMemory memory;
        private @Nullable GuestBuffer buffer;

        @Override
        public VirtioDevice device() {
            return device;
        }

        @Override
        public List<Integer> queueSizes() {
            return List.of(RecordingDevice.SIZE_0, RecordingDevice.SIZE_1);
        }

        @Override
        public void use(Port port, GuestRam ram) {
            QueueMemory ring = memory == null ? QueueMemory.pageAligned(ram, RecordingDevice.SIZE_0) : memory;
            GuestBuffer page = buffer == null ? ram.buffer(64, 64) : buffer;
            memory = ring;
            buffer = page;
            page.fill(0, 64, 0);
            VirtioDriver driver = new VirtioDriver(port.driver(), FeatureSet.of(32, RecordingDevice.BIT_OF_TYPE));
            assertEquals(StartResult.OK, driver.begin());
            DriverQueue queue = driver.queue(0, ring);
            assertEquals(StartResult.OK, driver.enable(queue));
            assertEquals(StartResult.OK, driver.driverOk());
            port.takeInterrupts();
            for (int i = 0; i < 3; i++) {
                queue.add(i, 0, 0, page.address(), 64);
                driver.kick(queue);
                assertEquals(true, queue.poll(), "not used by the end of the kick");
                assertEquals(i, queue.usedToken());
                assertEquals(64, queue.usedLength());
                assertEquals(0xab, page.u8(63));
                assertEquals(Port.USED, port.takeInterrupts());
            }
        }

        @Override
        public void tidy() {
            device.take();
            device.negotiated.clear();
            device.stopped.clear();
        }
    }

    private static final class Iommu implements RegisterFuzz.Subject {

        private static final int ENDPOINT = 8;
        private static final int DOMAIN = 5;

        private final VirtioIommu device = VirtioIommu.builder().endpoint(ENDPOINT, ReservedRegions.X86_MSI)
                .queueSizes(64, 64).maxMappings(1_000).build();
        private @Nullable IommuDriver driver;

        @Override
        public VirtioDevice device() {
            return device;
        }

        @Override
        public List<Integer> queueSizes() {
            return List.of(64, 64);
        }

        @Override
        public void use(Port port, GuestRam ram) {
            IommuDriver used = driver == null ? new IommuDriver(port.driver(), ram,
                    IommuDriverOptions.LINUX.withQueueSizes(64, 64).withEventBuffers(16), answer -> { }) : driver;
            driver = used;
            assertEquals(StartResult.OK, used.start());
            port.takeInterrupts();
            assertAnswer(used, used.attach(1, DOMAIN, ENDPOINT, 0));
            assertAnswer(used, used.map(2, DOMAIN, 0x1000, 0x1fff, 0x8000, 3));
            assertEquals(1, device.liveMappings());
            assertAnswer(used, used.unmap(3, DOMAIN, 0x1000, 0x1fff));
            assertAnswer(used, used.detach(4, DOMAIN, ENDPOINT));
            assertEquals(0, device.liveMappings());
        }

        private static void assertAnswer(IommuDriver driver, DriverResult result) {
            assertEquals(DriverResult.OK, result);
            assertEquals(DriverResult.OK, driver.sync());
            assertEquals(0, driver.last().status());
        }

        @Override
        public void tidy() {
            // It writes nothing down.
        }
    }
}
