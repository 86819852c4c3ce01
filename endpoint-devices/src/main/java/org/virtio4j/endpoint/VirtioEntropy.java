// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.lang.foreign.MemorySegment;
import java.security.SecureRandom;
import org.virtio4j.device.QueueDevice;
import org.virtio4j.device.ServedChain;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.wire.DeviceType;

/**
 * A source of random bytes (virtio 1.4, section 5.4). A buffer gets up to {@value #MOST_BYTES} bytes from {@link
 * SecureRandom}, each buffer its own, in the kick or when it is polled; drivers look at how many there are.
 *
 * <p>The methods of {@link org.virtio4j.device.VirtioDevice} are called by its life cycle.
 */
public final class VirtioEntropy extends QueueDevice {

    /** The most random bytes that one buffer gets. */
    public static final int MOST_BYTES = 4096;

    private static final int QUEUE_SIZE = 64;

    private final EntropyCounters counters = new EntropyCounters();
    private final SecureRandom random;
    private final boolean polled;
    private final byte[] fresh = new byte[MOST_BYTES];
    private final MemorySegment source = MemorySegment.ofArray(fresh);

    /** A source that draws on the host's. */
    public VirtioEntropy() {
        this(new SecureRandom());
    }

    VirtioEntropy(SecureRandom random) {
        this(random, false);
    }

    VirtioEntropy(SecureRandom random, boolean polled) {
        super(DeviceType.ENTROPY);
        this.random = random;
        this.polled = polled;
        queue(QUEUE_SIZE, this::fill);
    }

    /**
     * A source that draws on the host's, and finds buffers without notifications: a thread of the embedder's calls the
     * {@code poll} of the function or window again and again. Drivers are asked to send no notification (section
     * 2.7.10); one that comes all the same is served in the kick.
     *
     * @return a source for one function or window
     */
    public static VirtioEntropy polled() {
        return new VirtioEntropy(new SecureRandom(), true);
    }

    /**
     * What this source has done. Any thread.
     *
     * @return counters that go on counting
     */
    public EntropyCounters counters() {
        return counters;
    }

    @Override
    public boolean isPolled() {
        return polled;
    }

    /** Draws the bytes outside any section, because the source may have to be seeded again and wait for the host. */
    private void fill(ServedChain chain) {
        int length = (int) Math.min(MOST_BYTES, chain.writableLength());
        random.nextBytes(fresh);
        if (chain.write(0, source, 0, length) == DmaResult.OK) {
            counters.filled(length);
        }
    }
}
