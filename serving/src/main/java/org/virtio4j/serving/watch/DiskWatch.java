// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.watch;

import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.virtio4j.endpoint.BlockCounters;
import org.virtio4j.endpoint.BlockOutcome;

/** Looks from time to time whether the host has failed requests of a disk, and tells why. Used by one thread. */
public final class DiskWatch {

    private final LongSupplier failures;
    private final Supplier<String> reason;
    private final DeviceNotices told;
    private long seen;

    /** How many requests have failed so far, and what was said to the last of them. */
    DiskWatch(LongSupplier failures, Supplier<String> reason, DeviceNotices told) {
        this.failures = failures;
        this.reason = reason;
        this.told = told;
    }

    public static DiskWatch of(BlockCounters counters, DeviceNotices told) {
        return new DiskWatch(() -> failures(counters), counters::lastFileError, told);
    }

    public void look() {
        long failed = failures.getAsLong();
        if (failed > seen) {
            told.fileFailed(reason.get(), failed - seen);
            seen = failed;
        }
    }

    private static long failures(BlockCounters counters) {
        return counters.outcomes(BlockOutcome.FILE) + counters.outcomes(BlockOutcome.OTHER_FILE)
                + counters.outcomes(BlockOutcome.UNSTABLE);
    }
}
