// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;

/**
 * Brings a device up, step by step in the order of virtio 1.4, section 3.1.1, for a driver of any device type. {@link
 * #begin} goes up to the features; then come the queues and what the device type asks for, then {@link #driverOk}:
 *
 * <pre>{@code
 * VirtioDriver driver = new VirtioDriver(transport, FeatureSet.of(FeatureBit.VERSION_1, FeatureBit.EVENT_IDX));
 * driver.begin();
 * DriverQueue queue = driver.queue(0, QueueMemory.pageAligned(ram, 256));
 * driver.enable(queue);
 * driver.driverOk();
 * }</pre>
 *
 * <p>Each step can be taken alone, and out of order, by those who want to know what a device makes of it. Belongs to
 * one thread at a time.
 */
public final class VirtioDriver {

    private static final int MOST_READS = 1_000_000;

    private final DriverTransport transport;
    private final FeatureSet wanted;
    private FeatureSet negotiated = FeatureSet.NONE;

    /**
     * A driver that has not touched its device yet.
     *
     * @param transport the way to the device
     * @param wanted    the features to accept as far as they are offered; usually with {@link FeatureBit#VERSION_1}
     */
    public VirtioDriver(DriverTransport transport, FeatureSet wanted) {
        this.transport = transport;
        this.wanted = wanted;
    }

    /**
     * The way to the device.
     *
     * @return the transport as given
     */
    public DriverTransport transport() {
        return transport;
    }

    /**
     * Takes the steps from {@link #reset} to {@link #featuresOk}.
     *
     * @return {@link StartResult#OK}, or why it ended before that; the device is marked {@code FAILED} then
     */
    public StartResult begin() {
        StartResult result = reset();
        if (result == StartResult.OK) {
            acknowledge();
            announceDriver();
            result = negotiate();
        }
        if (result == StartResult.OK) {
            result = featuresOk();
        }
        if (result != StartResult.OK) {
            fail();
        }
        return result;
    }

    /**
     * Resets the device and waits until it says that this is done.
     *
     * @return {@link StartResult#OK} or {@link StartResult#RESET_NOT_DONE}
     */
    public StartResult reset() {
        negotiated = FeatureSet.NONE;
        transport.writeStatus(0);
        for (int i = 0; i < MOST_READS; i++) {
            if (transport.status() == 0) {
                return StartResult.OK;
            }
            Thread.onSpinWait();
        }
        return StartResult.RESET_NOT_DONE;
    }

    /** Sets {@code ACKNOWLEDGE}: the guest has seen the device. */
    public void acknowledge() {
        addStatus(DeviceStatus.ACKNOWLEDGE);
    }

    /** Sets {@code DRIVER}: the guest can drive the device. */
    public void announceDriver() {
        addStatus(DeviceStatus.DRIVER);
    }

    /**
     * Accepts the features that are wanted and offered.
     *
     * @return {@link StartResult#OK}, or {@link StartResult#NOT_VERSION_1}, with nothing accepted
     */
    public StartResult negotiate() {
        FeatureSet offered = FeatureSet.offeredBy(transport);
        if (!offered.has(FeatureBit.VERSION_1)) {
            return StartResult.NOT_VERSION_1;
        }
        accept(offered.and(wanted));
        return StartResult.OK;
    }

    /**
     * Accepts exactly these features, offered or not.
     *
     * @param features what to write
     */
    public void accept(FeatureSet features) {
        negotiated = features;
        for (int word = 0; word < FeatureSet.WORDS; word++) {
            transport.acceptFeatures(word, features.word(word));
        }
    }

    /**
     * Sets {@code FEATURES_OK} and asks whether it was taken.
     *
     * @return {@link StartResult#OK} or {@link StartResult#FEATURES_REFUSED}
     */
    public StartResult featuresOk() {
        addStatus(DeviceStatus.FEATURES_OK);
        boolean taken = (transport.status() & DeviceStatus.FEATURES_OK) != 0;
        return taken ? StartResult.OK : StartResult.FEATURES_REFUSED;
    }

    /**
     * What was accepted since the last reset.
     *
     * @return the features, which count once {@link #featuresOk} has returned {@link StartResult#OK}
     */
    public FeatureSet negotiated() {
        return negotiated;
    }

    /**
     * Makes a queue that works as negotiated, without indirect tables. The device is not told of it yet.
     *
     * @param index  which queue of the device
     * @param memory where it lies; zeroed
     * @return the queue
     */
    public DriverQueue queue(int index, QueueMemory memory) {
        return new DriverQueue(index, memory, negotiated.has(FeatureBit.EVENT_IDX));
    }

    /**
     * Tells the device where a queue lies, and enables it.
     *
     * @param queue the queue, as large as the device allows or smaller
     * @return {@link StartResult#OK}, {@link StartResult#NO_SUCH_QUEUE} or {@link StartResult#QUEUE_REFUSED}
     */
    public StartResult enable(DriverQueue queue) {
        if (transport.queueSizeMax(queue.index()) == 0) {
            return StartResult.NO_SUCH_QUEUE;
        }
        QueueMemory memory = queue.memory();
        boolean enabled = transport.enableQueue(queue.index(), memory.size(), memory.descriptorTable().address(),
                memory.availableRing().address(), memory.usedRing().address());
        return enabled ? StartResult.OK : StartResult.QUEUE_REFUSED;
    }

    /**
     * Sets {@code DRIVER_OK}: the device is live.
     *
     * @return {@link StartResult#OK} or {@link StartResult#NOT_LIVE}
     */
    public StartResult driverOk() {
        addStatus(DeviceStatus.DRIVER_OK);
        int live = transport.status() & (DeviceStatus.DRIVER_OK | DeviceStatus.NEEDS_RESET);
        return live == DeviceStatus.DRIVER_OK ? StartResult.OK : StartResult.NOT_LIVE;
    }

    /** Sets {@code FAILED}: the driver has given up on the device. */
    public void fail() {
        addStatus(DeviceStatus.FAILED);
    }

    /**
     * Publishes what was added to a queue, and notifies the device if it wants to be.
     *
     * @param queue a queue of this device
     * @return whether it was notified
     */
    public boolean kick(DriverQueue queue) {
        queue.publish();
        if (!queue.kickNeeded()) {
            return false;
        }
        transport.notifyQueue(queue.index());
        return true;
    }

    private void addStatus(int bit) {
        transport.writeStatus(transport.status() | bit);
    }
}
