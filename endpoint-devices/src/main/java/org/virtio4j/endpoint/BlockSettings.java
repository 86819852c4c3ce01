// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.util.function.Supplier;
import org.agrona.concurrent.IdleStrategy;
import org.virtio4j.device.Features;

/** What a {@link VirtioBlockBuilder} was told. */
record BlockSettings(Features features, int queueCount, int queueSize, int blockSize, String id, DiskLock lock,
        Serving serving, Supplier<? extends IdleStrategy> idleStrategies) {

    /** Most ranges of a DISCARD or WRITE_ZEROES. */
    static final int MOST_RANGES = 64;

    /** Most sectors of a range that is discarded: 2 GiB, because it costs little. */
    static final int MOST_DISCARD_SECTORS = 1 << 22;

    /** Most sectors of a range that is zeroed: 4 MiB, so that a queue is not held up for long. */
    static final int MOST_ZEROES_SECTORS = 1 << 13;

    /** Descriptors of a request besides its data: a header and a status. */
    static final int FRAME = 2;

    /** Who serves requests. */
    enum Serving { WORKERS, KICKS, POLLS }
}
