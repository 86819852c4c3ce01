// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.virtio4j.guestsuite.GuestBooter.Memory;
import org.virtio4j.harness.options.GuestOptions.Translation;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;

/** Linux has disk and entropy source suspended (D3hot), for no program uses them, when the machine is reset. */
@GuestScenario
class SuspendTest {

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    private final AtomicInteger boots = new AtomicInteger();

    @Test
    void shouldServeBothAfterTheReset() throws IOException, NotFetchedException, UnusableGuestException {
        SuiteDevices.Maker maker = new SuiteDevices.Maker(Wiring.DEFAULT);
        guest.when("virtio4j: step loading drivers", boots::incrementAndGet);
        Booted booted = guest.boot(Workload.SUSPEND, 2, Translation.STRICT, Memory.DESCRIPTOR, maker);
        booted.assertDone();
        assertEquals(2, boots.get());
        assertEquals("D3hot", booted.fact("power/0000:00:07.0/idle"));
        assertEquals("D3hot", booted.fact("power/0000:00:0c.0/idle"));
        assertEquals(32, booted.fact("suspend/expected").length());
        assertEquals(booted.fact("suspend/expected"), booted.fact("suspend/written"));
        assertEquals(List.of(), booted.faults());
        maker.devices().assertNothingLeft();
    }
}
