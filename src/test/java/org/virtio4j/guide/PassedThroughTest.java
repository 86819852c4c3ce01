// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.virtio4j.vmm.GuestMemory;

/** Devices of the host need VFIO, which machines of tests do not have; a box of the guest suite has it. */
class PassedThroughTest {

    @Test
    void shouldSayWhatIsMissing() {
        Assumptions.assumeFalse(Files.exists(Path.of("/dev/vfio/vfio")));
        try (GuestMemory memory = GuestMemory.anonymous(0, 1 << 20)) {
            IOException thrown = assertThrows(IOException.class,
                    () -> new PassedThrough("0000:3b:00.0", 0x48, memory));
            assertEquals("open of /dev/vfio/vfio: ENOENT (no such file or directory)", thrown.getMessage());
        }
    }
}
