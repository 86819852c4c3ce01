// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.lang.foreign.MemorySegment;
import org.virtio4j.device.QueueLoop;
import org.virtio4j.dma.DmaResult;

/**
 * The data of the chain that is at work, outside any section: each copy opens a section of its own. For the thread that
 * serves the queue.
 */
final class ChainData {

    private final QueueLoop loop;

    ChainData(QueueLoop loop) {
        this.loop = loop;
    }

    /** Copies from the chain's readable part; offset and length in bytes, at most what a section may copy. */
    DmaResult read(long offset, MemorySegment to, long length) {
        return loop.read(0, offset, to, length);
    }

    /** Copies to the chain's writable part; offset and length in bytes, at most what a section may copy. */
    DmaResult write(long offset, MemorySegment from, long length) {
        return loop.write(0, offset, from, length);
    }

    /** Whether the driver still waits for the chain; false once its queue was reset. */
    boolean wanted() {
        return loop.wanted();
    }
}
