// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

import org.jspecify.annotations.Nullable;
import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.SplitDescriptor;

/**
 * Brings a virtio-iommu up in the steps of Linux, as often as it is asked to, and keeps what the last start has made.
 * That is the configuration as it was read, and the two queues in guest memory.
 */
final class IommuBringUp {

    private static final int[] STEPS_OF_LINUX = {
        0,
        DeviceStatus.ACKNOWLEDGE,
        DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER,
        DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER | DeviceStatus.FEATURES_OK,
        DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER | DeviceStatus.FEATURES_OK | DeviceStatus.DRIVER_OK,
    };

    private final VirtioDriver device;
    private final DriverTransport transport;
    private final IommuDriverOptions options;
    private final AnswerListener listener;

    private final Reserve.OfQueue requestRing;
    private final Reserve.OfQueue eventRing;
    private final Reserve tables;
    private final Reserve slots;
    private final Reserve events;
    private final Reserve probe;

    private @Nullable IommuConfiguration configuration;
    private @Nullable RequestWriter requests;
    private @Nullable DriverEventQueue eventQueue;
    private ChainLayout layout = ChainLayout.PLAIN;

    /** Counts of the starts before the last one. */
    private long earlierRequests;
    private long earlierKicks;

    IommuBringUp(VirtioDriver device, GuestRam ram, IommuDriverOptions options, AnswerListener listener) {
        this.device = device;
        this.transport = device.transport();
        this.options = options;
        this.listener = listener;
        this.requestRing = new Reserve.OfQueue(ram);
        this.eventRing = new Reserve.OfQueue(ram);
        this.tables = new Reserve(ram);
        this.slots = new Reserve(ram);
        this.events = new Reserve(ram);
        this.probe = new Reserve(ram);
    }

    /** See {@link IommuDriver#start}. */
    StartResult start() {
        for (int status : STEPS_OF_LINUX) {
            StartResult result = writeStatus(status);
            if (result != StartResult.OK) {
                device.fail();
                return result;
            }
        }
        return StartResult.OK;
    }

    /** See {@link IommuDriver#writeStatus}. */
    StartResult writeStatus(int status) {
        if (status == 0) {
            dropQueues();
            return device.reset();
        }
        int added = status & ~transport.status();
        StartResult prepared = prepare(added);
        if (prepared != StartResult.OK) {
            return prepared;
        }
        transport.writeStatus(status);
        return conclude(added);
    }

    IommuConfiguration configuration() {
        return started(configuration);
    }

    RequestWriter requests() {
        return started(requests);
    }

    DriverEventQueue eventQueue() {
        return started(eventQueue);
    }

    boolean isStarted() {
        return requests != null;
    }

    long requestCount() {
        return earlierRequests + (requests == null ? 0 : requests.count());
    }

    long kickCount() {
        return earlierKicks + (requests == null ? 0 : requests.queue().kicks());
    }

    /** Chooses how requests are laid out now and after each start. */
    void chainLayout(ChainLayout newLayout) {
        layout = newLayout;
        if (requests != null) {
            requests.queue().chainLayout(newLayout);
        }
    }

    private StartResult prepare(int added) {
        StartResult result = StartResult.OK;
        if ((added & DeviceStatus.FEATURES_OK) != 0) {
            result = device.negotiate();
        }
        if (result == StartResult.OK && (added & DeviceStatus.DRIVER_OK) != 0) {
            result = setUpQueues();
        }
        return result;
    }

    private StartResult conclude(int added) {
        int now = transport.status();
        if ((added & DeviceStatus.FEATURES_OK & ~now) != 0) {
            return StartResult.FEATURES_REFUSED;
        }
        if ((added & DeviceStatus.DRIVER_OK) != 0) {
            if ((now & DeviceStatus.DRIVER_OK) == 0 || (now & DeviceStatus.NEEDS_RESET) != 0) {
                return StartResult.NOT_LIVE;
            }
            eventQueue().fill(options.eventBuffers());
        }
        return StartResult.OK;
    }

    private StartResult setUpQueues() {
        dropQueues();
        IommuConfiguration read = IommuConfiguration.read(transport);
        if (read == null) {
            return StartResult.CONFIG_UNSTABLE;
        }
        configuration = read;
        int requestSize = Math.min(options.requestQueueSize(), transport.queueSizeMax(IommuDriver.REQUEST_QUEUE));
        int eventSize = Math.min(options.eventQueueSize(), transport.queueSizeMax(IommuDriver.EVENT_QUEUE));
        if (requestSize == 0 || eventSize == 0) {
            return StartResult.NO_SUCH_QUEUE;
        }
        makeRequestQueue(requestSize, Integer.toUnsignedLong(read.probeSize()));
        makeEventQueue(eventSize);
        StartResult enabled = device.enable(requests().queue().queue());
        return enabled == StartResult.OK ? device.enable(eventQueue().queue()) : enabled;
    }

    private void makeRequestQueue(int size, long probeSize) {
        boolean indirect = device.negotiated().has(FeatureBit.INDIRECT_DESC) && size > 1;
        long tablesSize = (long) size * options.tableSize() * SplitDescriptor.SIZE;
        DriverQueue ring = new DriverQueue(IommuDriver.REQUEST_QUEUE, requestRing.atLeast(size),
                device.negotiated().has(FeatureBit.EVENT_IDX), indirect ? tables.atLeast(tablesSize) : null);
        GuestBuffer memory = slots.atLeast(size * DriverRequestQueue.SLOT_SIZE);
        DriverRequestQueue queue = new DriverRequestQueue(transport, ring, memory, listener, options.pollLimit());
        queue.chainLayout(layout);
        long probeBytes = RequestWriter.probeBufferSize(probeSize);
        requests = new RequestWriter(queue, probe.atLeast(probeBytes), probeBytes);
    }

    private void makeEventQueue(int size) {
        DriverQueue ring = device.queue(IommuDriver.EVENT_QUEUE, eventRing.atLeast(size));
        eventQueue = new DriverEventQueue(transport, ring, events.atLeast(size * DriverEventQueue.STRIDE));
    }

    /** Whatever is in the queues does not come back. */
    private void dropQueues() {
        earlierRequests = requestCount();
        earlierKicks = kickCount();
        requests = null;
        eventQueue = null;
        configuration = null;
    }

    private static <T> T started(@Nullable T part) {
        if (part == null) {
            throw new IllegalStateException("state=not started; call start(), or writeStatus up to DRIVER_OK, first");
        }
        return part;
    }
}
