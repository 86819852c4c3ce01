// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.watch;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What the host said to a failed request of a disk is told to the user: the guest hears only that it failed. */
class DiskWatchTest {

    private long failures;
    private String reason = "";
    private final Notices notices = new Notices(() -> 0);
    private final DiskWatch watch =
            new DiskWatch(() -> failures, () -> reason, new DeviceNotices(notices, "disk-0a.0"));

    @Test
    void shouldSayWhyRequestsFail() {
        watch.look();
        assertEquals(List.of(), notices.due());
        failures = 1;
        reason = "java.io.IOException: No space left on device";
        watch.look();
        watch.look();
        assertEquals(List.of("disk-0a.0: the host could not read or write its file: java.io.IOException: No space left"
                + " on device"), notices.due());
        failures = 4;
        reason = "an earlier flush failed: java.io.IOException: Input/output error";
        watch.look();
        assertEquals(List.of("disk-0a.0: the host could not read or write its file: an earlier flush failed:"
                + " java.io.IOException: Input/output error … 2 more"), notices.rest());
    }
}
