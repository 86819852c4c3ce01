// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.harness.options.GuestOptions.Translation;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;

/**
 * The guest of {@code virtio4j guest}, with the command's devices and with QEMU's own: what fails there too is the way
 * a guest is run.
 */
@GuestScenario
class CommandTest {

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldFindDevicesBehindTheIommu(boolean qemuDevices)
            throws IOException, NotFetchedException, UnusableGuestException {
        Booted booted = guest.bootAsShipped(Workload.BOOT, Translation.STRICT, qemuDevices);
        booted.assertDone();
        assertEquals("0000:00:09.0 0000:00:0a.0", booted.fact("iommu/0000:00:08.0/endpoints"));
        assertEquals("virtio_iommu", booted.device("0000:00:08.0", "driver"));
        assertEquals("virtio_rng", booted.device("0000:00:09.0", "driver"));
        assertEquals("virtio_blk", booted.device("0000:00:0a.0", "driver"));
        for (String function : List.of("0000:00:09.0", "0000:00:0a.0")) {
            assertEquals(function, booted.group(function, "devices"));
            assertEquals("DMA", booted.group(function, "type"));
            assertEquals("0x00000000fee00000 0x00000000feefffff msi", booted.group(function, "reserved"));
        }
        assertEquals("262144", booted.fact("disk/sectors"));
        assertEquals(List.of(), booted.faults());
        assertEquals(qemuDevices, booted.result().devices().isEmpty());
    }
}
