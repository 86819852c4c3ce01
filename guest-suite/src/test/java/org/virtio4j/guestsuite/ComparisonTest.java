// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.virtio4j.harness.Comparison;
import org.virtio4j.harness.options.GuestOptions.Translation;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;

/**
 * The same work on the command's devices and on QEMU's own. How fast is printed, not asserted: machines differ, and one
 * round says little; {@code virtio4j guest --compare} runs more.
 */
@GuestScenario
class ComparisonTest {

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @Test
    void shouldDoTheSameWorkOnQemusDevices() throws IOException, NotFetchedException, UnusableGuestException {
        Comparison comparison = guest.compare(Translation.LAZY);
        assertTrue(comparison.complete());
        for (Comparison.Transfer transfer : Comparison.Transfer.values()) {
            System.out.printf("guest suite: %s at %.2f of the speed of QEMU's own devices (%.2f s, %.2f s)%n", transfer,
                    comparison.ratio(transfer), comparison.ourSeconds(transfer), comparison.qemuSeconds(transfer));
        }
    }
}
