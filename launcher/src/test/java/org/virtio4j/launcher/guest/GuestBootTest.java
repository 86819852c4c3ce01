// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Boots a guest with our devices, and with QEMU's own: what fails there too is the way a guest is run. */
@Timeout(300)
class GuestBootTest {

    private static final Path HOME = Path.of(System.getProperty("virtio4j.home", ".."));

    private final List<String> steps = new ArrayList<>();

    /** A unit test fetches nothing. */
    @BeforeEach
    void needQemu() {
        String xdg = Optional.ofNullable(System.getenv("XDG_CACHE_HOME")).orElse("");
        Path cache = Path.of(xdg.startsWith("/") ? xdg : System.getProperty("user.home") + "/.cache", "virtio4j");
        boolean there = Files.exists(cache.resolve("qemu")) && Files.exists(cache.resolve("linux"));
        if (!there) {
            System.out.println("skipped: no QEMU and no Linux in " + cache + "; ./virtio4j guest fetches them");
        }
        assumeTrue(there, "no QEMU and no Linux in " + cache);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldFindDevicesBehindTheIommu(boolean qemuDevices)
            throws IOException, NotFetchedException, UnusableGuestException {
        GuestResult result = boot(GuestOptions.Translation.STRICT, qemuDevices);
        assertEquals(Optional.empty(), result.trouble(), result.facts().lastLines().toString());
        GuestFacts facts = result.facts();
        assertEquals("virtio0", facts.fact("iommu/0000:00:08.0/device"));
        assertEquals("0000:00:09.0 0000:00:0a.0", facts.fact("iommu/0000:00:08.0/endpoints"));
        assertEquals("virtio_iommu", facts.fact("virtio/virtio0/driver"));
        assertEquals("virtio_rng", facts.fact("virtio/virtio1/driver"));
        assertEquals("virtio_blk", facts.fact("virtio/virtio2/driver"));
        for (String function : List.of("0000:00:09.0", "0000:00:0a.0")) {
            String group = "group/" + facts.fact("pci/" + function + "/group");
            assertEquals(function, facts.fact(group + "/devices"));
            assertEquals("DMA", facts.fact(group + "/type"));
            assertEquals("0x00000000fee00000 0x00000000feefffff msi", facts.fact(group + "/reserved"));
        }
        assertEquals("262144", facts.fact("disk/sectors"));
        assertFalse(steps.isEmpty());
    }

    private GuestResult boot(GuestOptions.Translation translation, boolean qemuDevices)
            throws IOException, NotFetchedException, UnusableGuestException {
        GuestOptions options =
                new GuestOptions(Workload.BOOT, 2, 512, translation, false, qemuDevices, null, null);
        return new Guest(options, HOME, new GuestObserver() {
            @Override
            public void step(String what) {
                steps.add(what);
            }

            @Override
            public boolean interrupted() {
                return false;
            }
        }).run();
    }
}
