// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import java.lang.foreign.MemorySegment;
import java.security.SecureRandom;
import java.util.List;
import org.virtio4j.device.DeviceContext;
import org.virtio4j.device.DeviceInfo;
import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.SoleOwner;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.queue.Chain;
import org.virtio4j.wire.DeviceType;

/**
 * A source of random bytes (virtio 1.4, section 5.4). A buffer gets up to {@value #MOST_BYTES} bytes from {@link
 * SecureRandom}, each buffer its own, in the kick or when it is polled; drivers look at how many there are.
 *
 * <p>The methods of {@link VirtioDevice} are called by its life cycle.
 */
public final class VirtioEntropy implements VirtioDevice {

    /** The most random bytes that one buffer gets. */
    public static final int MOST_BYTES = 4096;

    private static final int REQUESTS = 0;
    private static final int QUEUE_SIZE = 64;

    private final SoleOwner owner = new SoleOwner();
    private final EntropyCounters counters = new EntropyCounters();
    private final ChainServer server;
    private final boolean polled;

    /** A source that draws on the host's. */
    public VirtioEntropy() {
        this(new SecureRandom());
    }

    VirtioEntropy(SecureRandom random) {
        this(random, false);
    }

    VirtioEntropy(SecureRandom random, boolean polled) {
        this.server = new ChainServer(REQUESTS, new Filler(random, counters));
        this.polled = polled;
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
    public DeviceInfo info() {
        return new DeviceInfo(DeviceType.ENTROPY, List.of(QUEUE_SIZE), 0);
    }

    @Override
    public Features offered() {
        return Features.NONE;
    }

    @Override
    public SoleOwner owner() {
        return owner;
    }

    @Override
    public void activate(DeviceContext active) {
        server.start(active);
    }

    @Override
    public void kicked(int queue) {
        server.kick();
    }

    @Override
    public boolean isPolled() {
        return polled;
    }

    @Override
    public int poll(int queue) {
        return server.poll();
    }

    @Override
    public void stop() {
        server.stop();
    }

    @Override
    public boolean isIdle(int queue) {
        return server.isIdle();
    }

    @Override
    public void reset(ResetKind kind) {
        // There is no state to clear.
    }

    @Override
    public long readConfig(int offset, int width) {
        return 0;
    }

    @Override
    public void writeConfig(int offset, int width, long value) {
        // There is no configuration.
    }

    /** Draws the bytes between two sections, because the source may have to be seeded again and wait for the host. */
    private static final class Filler implements ChainHandler {

        private final SecureRandom random;
        private final EntropyCounters counters;
        private final byte[] fresh = new byte[MOST_BYTES];
        private final MemorySegment source = MemorySegment.ofArray(fresh);
        private int length;

        private Filler(SecureRandom random, EntropyCounters counters) {
            this.random = random;
            this.counters = counters;
        }

        @Override
        public void take(Chain chain) {
            length = (int) Math.min(MOST_BYTES, chain.writableLength());
        }

        @Override
        public boolean work(ChainData data) {
            random.nextBytes(fresh);
            return true;
        }

        @Override
        public boolean answer(Chain chain) {
            DmaResult result = chain.write(0, source, 0, length);
            if (result == DmaResult.OK) {
                counters.filled(length);
            }
            return result != DmaResult.CLOSED;
        }
    }
}
