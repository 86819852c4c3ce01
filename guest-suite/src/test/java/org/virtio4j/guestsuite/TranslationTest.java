// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.virtio4j.wire.iommu.IommuFeature.BYPASS_CONFIG;
import static org.virtio4j.wire.iommu.IommuFeature.DOMAIN_RANGE;
import static org.virtio4j.wire.iommu.IommuFeature.INPUT_RANGE;
import static org.virtio4j.wire.iommu.IommuFeature.MAP_UNMAP;
import static org.virtio4j.wire.iommu.IommuFeature.PROBE;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.virtio4j.endpoint.BlockOutcome;
import org.virtio4j.guestsuite.GuestBooter.Memory;
import org.virtio4j.harness.options.GuestOptions.Translation;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;
import org.virtio4j.wire.iommu.RequestStatus;
import org.virtio4j.wire.iommu.RequestType;

/** Linux's three ways to use an IOMMU, each with other work, rings, processors and memory. */
@GuestScenario
class TranslationTest {

    private static final String IOMMU = "0000:00:05.0";
    private static final List<String> ENDPOINTS = List.of("0000:00:07.0", "0000:00:0c.0");

    /** All that the suite's guests do with the disk: 64 MiB. */
    private static final long WORK_BYTES = 64 << 20;
    private static final int VERSION_1 = 32;
    private static final int ACCESS_PLATFORM = 33;

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @Test
    void shouldTranslateWhatIsUnmappedLater() throws IOException, NotFetchedException, UnusableGuestException {
        SuiteDevices.Maker maker = new SuiteDevices.Maker(Wiring.DEFAULT.rings(1024));
        Booted booted = guest.boot(Workload.VERIFY, 2, Translation.LAZY, Memory.DESCRIPTOR, maker);
        booted.assertDone();
        assertFound(booted, 2, 1024, "DMA-FQ");
        assertVerified(booted, maker.devices());
        assertMapped(maker.devices());
        maker.devices().assertNothingLeft();
    }

    @Test
    void shouldTranslateWhatIsUnmappedAtOnce() throws IOException, NotFetchedException, UnusableGuestException {
        SuiteDevices.Maker maker = new SuiteDevices.Maker(Wiring.WITH_CANARY.rings(64));
        Booted booted = guest.boot(Workload.FS, 1, Translation.STRICT, Memory.FILE, maker);
        booted.assertDone();
        assertFound(booted, 1, 64, "DMA");
        assertEquals("68", booted.fact("fs/files"));
        assertMapped(maker.devices());
        maker.devices().assertNothingLeft();
    }

    @Test
    void shouldLetPhysicalAddressesThrough() throws IOException, NotFetchedException, UnusableGuestException {
        SuiteDevices.Maker maker = new SuiteDevices.Maker(Wiring.DEFAULT.withUnsealedMemory());
        Booted booted = guest.boot(Workload.VERIFY, 2, Translation.PASSTHROUGH, Memory.FILE, maker);
        booted.assertDone();
        assertFound(booted, 2, 256, "identity");
        assertVerified(booted, maker.devices());
        assertEquals(0, maker.devices().iommu().counters().requests(RequestType.MAP));
        assertOnlyOk(maker.devices());
        maker.devices().assertNothingLeft();
    }

    private static void assertFound(Booted booted, int processors, int ring, String type) {
        assertEquals(Integer.toString(processors), booted.fact("processors"));
        assertEquals("virtio_iommu", booted.device(IOMMU, "driver"));
        assertEquals(String.join(" ", ENDPOINTS), booted.fact("iommu/" + IOMMU + "/endpoints"));
        assertEquals("virtio_rng", booted.device(ENDPOINTS.getFirst(), "driver"));
        assertEquals("virtio_blk", booted.device(ENDPOINTS.getLast(), "driver"));
        booted.assertFeatures(IOMMU, INPUT_RANGE, DOMAIN_RANGE, MAP_UNMAP, PROBE, BYPASS_CONFIG, VERSION_1);
        for (String function : ENDPOINTS) {
            booted.assertFeatures(function, VERSION_1, ACCESS_PLATFORM);
            assertEquals(function, booted.group(function, "devices"));
            assertEquals(type, booted.group(function, "type"));
            assertEquals("0x00000000fee00000 0x00000000feefffff msi", booted.group(function, "reserved"));
        }
        assertEquals("262144", booted.fact("disk/sectors"));
        assertEquals(Integer.toString(ring), booted.fact("disk/requests"));
        assertEquals(processors, booted.fact("disk/queues").split(" ").length);
        assertEquals(List.of(), booted.faults());
    }

    private static void assertVerified(Booted booted, SuiteDevices devices) {
        assertEquals(32, booted.fact("verify/written").length());
        assertEquals(booted.fact("verify/written"), booted.fact("verify/direct"));
        assertEquals(booted.fact("verify/written"), booted.fact("verify/cached"));
        assertTrue(devices.disk().counters().bytesWritten() >= WORK_BYTES);
        assertTrue(devices.disk().counters().bytesRead() >= 2 * WORK_BYTES);
        for (BlockOutcome outcome : BlockOutcome.values()) {
            assertEquals(outcome == BlockOutcome.OK, devices.disk().counters().outcomes(outcome) > 0,
                    outcome.toString());
        }
    }

    /** Linux takes away what it mapped, but for what its drivers and the machine's end leave. */
    private static void assertMapped(SuiteDevices devices) {
        long mapped = devices.iommu().counters().requests(RequestType.MAP);
        long removed = devices.iommu().counters().removedMappings();
        assertTrue(removed > 0 && mapped > removed, "MAP " + mapped + ", removed " + removed);
        assertEquals(removed, devices.iommu().counters().requests(RequestType.UNMAP));
        assertEquals(0, devices.iommu().counters().reportedFaults());
        assertEquals(0, devices.iommu().counters().lostFaults());
        assertOnlyOk(devices);
    }

    private static void assertOnlyOk(SuiteDevices devices) {
        assertEquals(ENDPOINTS.size(), devices.iommu().counters().requests(RequestType.PROBE));
        assertTrue(devices.iommu().counters().requests(RequestType.ATTACH) >= ENDPOINTS.size());
        for (int status = RequestStatus.IOERR; status <= RequestStatus.NOMEM; status++) {
            assertEquals(0, devices.iommu().counters().statuses(status), RequestStatus.name(status));
        }
    }
}
