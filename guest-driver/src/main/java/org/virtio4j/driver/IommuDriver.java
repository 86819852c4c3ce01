// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver;

import org.jspecify.annotations.Nullable;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.DeviceType;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.SplitDescriptor;
import org.virtio4j.wire.iommu.AttachRequest;
import org.virtio4j.wire.iommu.DetachRequest;
import org.virtio4j.wire.iommu.IommuConfig;
import org.virtio4j.wire.iommu.MapRequest;
import org.virtio4j.wire.iommu.ProbeRequest;
import org.virtio4j.wire.iommu.RequestHead;
import org.virtio4j.wire.iommu.RequestTail;
import org.virtio4j.wire.iommu.RequestType;
import org.virtio4j.wire.iommu.UnmapRequest;

/**
 * Drives a virtio-iommu (virtio 1.4, section 5.13) as the Linux driver does: the same ring traffic, without Linux's
 * opinion about what to map.
 *
 * <pre>{@code
 * IommuDriver driver = new IommuDriver(MmioDriverTransport.of(registers), ram, result -> …);
 * driver.start();
 * driver.attach(1, domain, endpoint, 0);
 * driver.map(2, domain, 0x1000, 0x1fff, gpa, MapRequest.FLAG_READ);    // queued, no kick
 * driver.map(3, domain, 0x2000, 0x2fff, gpa, MapRequest.FLAG_READ);
 * driver.sync();                                                       // one kick for both, and their answers
 * }</pre>
 *
 * <p>MAP and UNMAP are put into the ring, where the device may see them at once, but it is kicked only by {@link
 * #sync}, which then looks at the used ring until all requests are back. ATTACH, DETACH and PROBE do that themselves.
 * When the ring is full, a request waits for all others first, which is a kick too. Used buffer notifications are off
 * for requests. Each answer goes to the {@link RequestListener} with the {@code tag} of its request.
 *
 * <p>Unlike Linux it gives up when the device does not answer: see {@link DriverResult}. What is wrong with a request
 * is the device's to say; no argument of a request is checked here.
 *
 * <p>Belongs to one thread at a time. Nothing allocates between {@link #start} and the next.
 */
public final class IommuDriver {

    /** Index of the queue for requests. */
    public static final int REQUEST_QUEUE = 0;
    /** Index of the queue for events. */
    public static final int EVENT_QUEUE = 1;

    private static final int[] STEPS_OF_LINUX = {
        0,
        DeviceStatus.ACKNOWLEDGE,
        DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER,
        DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER | DeviceStatus.FEATURES_OK,
        DeviceStatus.ACKNOWLEDGE | DeviceStatus.DRIVER | DeviceStatus.FEATURES_OK | DeviceStatus.DRIVER_OK,
    };

    private static final int UNWRITTEN = 0xff;

    private final DriverTransport transport;
    private final VirtioDriver device;
    private final IommuDriverOptions options;
    private final RequestListener listener;

    private final Reserve.OfQueue requestRing;
    private final Reserve.OfQueue eventRing;
    private final Reserve tables;
    private final Reserve slots;
    private final Reserve events;
    private final Reserve probe;
    private final GuestBuffer rawReadable;
    private final GuestBuffer rawWritable;

    private @Nullable IommuConfiguration configuration;
    private @Nullable RequestQueue requestQueue;
    private @Nullable EventQueue eventQueue;
    private @Nullable GuestBuffer probeBuffer;
    private Framing framing = Framing.WHOLE;

    private long probeWritable;

    /** Whether a PROBE may still be on its way, after a device that did not answer it. */
    private boolean probeOut;
    private long rawReadableUsed;
    private long rawWritableUsed;
    private long requestCount;
    private long earlierKicks;

    /**
     * A driver that behaves like Linux and has not touched its device yet.
     *
     * @param transport the way to a virtio-iommu
     * @param ram       memory for rings and requests, 2 MiB for a ring of 256 entries
     * @param listener  hears of each answer
     * @throws IllegalArgumentException if the device is something else
     * @throws IllegalStateException if there is not enough memory
     */
    public IommuDriver(DriverTransport transport, GuestRam ram, RequestListener listener) {
        this(transport, ram, IommuDriverOptions.LINUX, listener);
    }

    /**
     * A driver that has not touched its device yet.
     *
     * @param transport the way to a virtio-iommu
     * @param ram       memory for rings and requests
     * @param options   how to behave
     * @param listener  hears of each answer
     * @throws IllegalArgumentException if the device is something else
     * @throws IllegalStateException if there is not enough memory
     */
    public IommuDriver(DriverTransport transport, GuestRam ram, IommuDriverOptions options, RequestListener listener) {
        if (transport.deviceType() != DeviceType.IOMMU) {
            throw new IllegalArgumentException("deviceType=" + transport.deviceType() + ", but a virtio-iommu is "
                    + DeviceType.IOMMU);
        }
        this.transport = transport;
        this.device = new VirtioDriver(transport, options.wanted());
        this.options = options;
        this.listener = listener;
        this.requestRing = new Reserve.OfQueue(ram);
        this.eventRing = new Reserve.OfQueue(ram);
        this.tables = new Reserve(ram);
        this.slots = new Reserve(ram);
        this.events = new Reserve(ram);
        this.probe = new Reserve(ram);
        this.rawReadable = new Reserve(ram).atLeast(options.rawBytes());
        this.rawWritable = new Reserve(ram).atLeast(options.rawBytes());
    }

    // Bringing the device up

    /**
     * Resets the device and brings it up. May be called again at any time, as a guest that reboots does.
     *
     * @return {@link StartResult#OK}, or the first step that failed; the device is marked {@code FAILED} then
     * @throws IllegalStateException if there is not enough guest memory for what the device asks for
     */
    public StartResult start() {
        for (int status : STEPS_OF_LINUX) {
            StartResult result = writeStatus(status);
            if (result != StartResult.OK) {
                device.fail();
                return result;
            }
        }
        return StartResult.OK;
    }

    /**
     * Writes the device status, with what Linux does at that step: at 0 it forgets all requests and waits for the
     * reset; it accepts features before {@code FEATURES_OK} and reads that back; it sets up the queues before {@code
     * DRIVER_OK} and fills the event queue after it, without a kick. {@link #start} writes 0, 1, 3, 11 and 15.
     *
     * @param status a sum of {@link DeviceStatus} bits
     * @return {@link StartResult#OK}, or what failed; where it failed before the write, nothing is written
     * @throws IllegalStateException if there is not enough guest memory for what the device asks for
     */
    public StartResult writeStatus(int status) {
        if (status == 0) {
            forget();
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

    /**
     * The device without regard to its type.
     *
     * @return the driver that took the steps so far
     */
    public VirtioDriver device() {
        return device;
    }

    /**
     * The configuration as it was read when the queues were set up.
     *
     * @return what the device said
     * @throws IllegalStateException before {@link #start}
     */
    public IommuConfiguration configuration() {
        return started(configuration);
    }

    /**
     * Reads the bypass byte.
     *
     * @return 1 if endpoints that are attached to nothing reach guest-physical memory, else 0
     */
    public int bypass() {
        return (int) transport.readConfig(IommuConfig.BYPASS, Byte.BYTES);
    }

    /**
     * Writes the bypass byte, which needs {@code VIRTIO_IOMMU_F_BYPASS_CONFIG}.
     *
     * @param value its low byte counts
     */
    public void writeBypass(int value) {
        transport.writeConfig(IommuConfig.BYPASS, Byte.BYTES, value & 0xff);
    }

    /**
     * Chooses how requests are cut into descriptors from now on.
     *
     * @param newFraming {@link Framing#WHOLE} at the start
     */
    public void framing(Framing newFraming) {
        framing = newFraming;
        RequestQueue queue = requestQueue;
        if (queue != null) {
            queue.framing(newFraming);
        }
    }

    // Requests

    /**
     * Attaches an endpoint to a domain, and waits for the answer to this and all requests before it.
     *
     * @param tag      anything; comes back with the answer
     * @param domain   number of the domain
     * @param endpoint number of the endpoint
     * @param flags    0 or {@link AttachRequest#FLAG_BYPASS}
     * @return {@link DriverResult#OK} once it is answered
     * @throws IllegalStateException before {@link #start}
     */
    public DriverResult attach(long tag, int domain, int endpoint, int flags) {
        RequestQueue queue = started(requestQueue);
        DriverResult ready = queue.reserve();
        if (ready != DriverResult.OK) {
            return ready;
        }
        GuestBuffer memory = queue.slots();
        long at = begin(queue, RequestType.ATTACH);
        memory.putI32(at + AttachRequest.DOMAIN, domain);
        memory.putI32(at + AttachRequest.ENDPOINT, endpoint);
        memory.putI32(at + AttachRequest.FLAGS, flags);
        memory.putI32(at + AttachRequest.RESERVED, 0);
        return andSync(queue, queue.submitSlot(tag, RequestType.ATTACH, AttachRequest.SIZE));
    }

    /**
     * Detaches an endpoint from a domain, and waits for the answer to this and all requests before it.
     *
     * @param tag      anything; comes back with the answer
     * @param domain   number of the domain
     * @param endpoint number of the endpoint
     * @return {@link DriverResult#OK} once it is answered
     * @throws IllegalStateException before {@link #start}
     */
    public DriverResult detach(long tag, int domain, int endpoint) {
        RequestQueue queue = started(requestQueue);
        DriverResult ready = queue.reserve();
        if (ready != DriverResult.OK) {
            return ready;
        }
        GuestBuffer memory = queue.slots();
        long at = begin(queue, RequestType.DETACH);
        memory.putI32(at + DetachRequest.DOMAIN, domain);
        memory.putI32(at + DetachRequest.ENDPOINT, endpoint);
        memory.putI64(at + DetachRequest.RESERVED, 0);
        return andSync(queue, queue.submitSlot(tag, RequestType.DETACH, DetachRequest.SIZE));
    }

    /**
     * Queues a mapping of I/O-virtual to guest-physical addresses, without a kick.
     *
     * @param tag       anything; comes back with the answer
     * @param domain    number of the domain
     * @param virtStart first I/O-virtual address
     * @param virtEnd   last I/O-virtual address, inclusive
     * @param physStart guest-physical address that {@code virtStart} leads to
     * @param flags     a sum of {@link MapRequest#FLAG_READ}, {@link MapRequest#FLAG_WRITE} and {@link
     *                  MapRequest#FLAG_MMIO}
     * @return {@link DriverResult#OK} once it is in the ring
     * @throws IllegalStateException before {@link #start}
     */
    public DriverResult map(long tag, int domain, long virtStart, long virtEnd, long physStart, int flags) {
        RequestQueue queue = started(requestQueue);
        DriverResult ready = queue.reserve();
        if (ready != DriverResult.OK) {
            return ready;
        }
        GuestBuffer memory = queue.slots();
        long at = begin(queue, RequestType.MAP);
        memory.putI32(at + MapRequest.DOMAIN, domain);
        memory.putI64(at + MapRequest.VIRT_START, virtStart);
        memory.putI64(at + MapRequest.VIRT_END, virtEnd);
        memory.putI64(at + MapRequest.PHYS_START, physStart);
        memory.putI32(at + MapRequest.FLAGS, flags);
        return queue.submitSlot(tag, RequestType.MAP, MapRequest.SIZE);
    }

    /**
     * Queues the removal of all mappings inside a range, without a kick.
     *
     * @param tag       anything; comes back with the answer
     * @param domain    number of the domain
     * @param virtStart first I/O-virtual address
     * @param virtEnd   last I/O-virtual address, inclusive
     * @return {@link DriverResult#OK} once it is in the ring
     * @throws IllegalStateException before {@link #start}
     */
    public DriverResult unmap(long tag, int domain, long virtStart, long virtEnd) {
        RequestQueue queue = started(requestQueue);
        DriverResult ready = queue.reserve();
        if (ready != DriverResult.OK) {
            return ready;
        }
        GuestBuffer memory = queue.slots();
        long at = begin(queue, RequestType.UNMAP);
        memory.putI32(at + UnmapRequest.DOMAIN, domain);
        memory.putI64(at + UnmapRequest.VIRT_START, virtStart);
        memory.putI64(at + UnmapRequest.VIRT_END, virtEnd);
        memory.putI32(at + UnmapRequest.RESERVED, 0);
        return queue.submitSlot(tag, RequestType.UNMAP, UnmapRequest.SIZE);
    }

    /**
     * Asks for the properties of an endpoint, and waits for the answer to this and all requests before it. The listener
     * finds the properties in the result's writable part.
     *
     * @param tag      anything; comes back with the answer
     * @param endpoint number of the endpoint
     * @return {@link DriverResult#OK} once it is answered
     * @throws IllegalStateException before {@link #start}
     */
    public DriverResult probe(long tag, int endpoint) {
        RequestQueue queue = started(requestQueue);
        DriverResult ready = probeOut && queue.outCount() != 0 ? queue.sync() : queue.reserve();
        if (ready != DriverResult.OK) {
            return ready;
        }
        GuestBuffer memory = started(probeBuffer);
        memory.fill(0, ProbeRequest.SIZE, 0);
        memory.fill(ProbeRequest.SIZE, probeWritable, UNWRITTEN);
        memory.putU8(RequestHead.TYPE, RequestType.PROBE);
        memory.putI32(ProbeRequest.ENDPOINT, endpoint);
        requestCount++;
        DriverResult result = andSync(queue, queue.submit(tag, RequestType.PROBE, memory.address(), ProbeRequest.SIZE,
                memory, ProbeRequest.SIZE, probeWritable));
        probeOut = result != DriverResult.OK;
        return result;
    }

    /**
     * Queues a request of any bytes, parsable or not, without a kick.
     *
     * @param tag            anything; comes back with the answer
     * @param readable       the readable part, copied from the start of the array
     * @param readableLength how long the readable part is, in bytes
     * @param writableLength how long a writable part to offer, in bytes, 32 bits unsigned; more than {@link
     *                       IommuDriverOptions#rawBytes} is offered as asked, but only so much of it is memory that
     *                       nothing else uses
     * @return {@link DriverResult#OK} once it is in the ring
     * @throws IllegalArgumentException if the readable part has more than {@link IommuDriverOptions#rawBytes}, or a
     *         length has more than 32 bits
     * @throws IllegalStateException before {@link #start}
     */
    public DriverResult raw(long tag, byte[] readable, int readableLength, long writableLength) {
        long ownLength = Math.min(writableLength, options.rawBytes());
        if (readableLength > options.rawBytes()) {
            throw new IllegalArgumentException("readableLength=" + readableLength + ", but rawBytes="
                    + options.rawBytes() + "; choose options with more");
        }
        RequestQueue queue = started(requestQueue);
        DriverResult ready = reserveRaw(queue, readableLength, ownLength);
        if (ready != DriverResult.OK) {
            return ready;
        }
        long from = rawReadableUsed;
        long to = rawWritableUsed;
        rawReadable.write(from, readable, 0, readableLength);
        rawWritable.fill(to, ownLength, UNWRITTEN);
        rawReadableUsed += readableLength;
        rawWritableUsed += ownLength;
        requestCount++;
        int type = readableLength == 0 ? 0 : readable[0] & 0xff;
        return queue.submit(tag, type, rawReadable.address() + from, readableLength, rawWritable, to, writableLength);
    }

    /**
     * Kicks once, if anything was queued since the last kick and the device wants to know, and looks at the used ring
     * until all requests are back. Where none is on its way, also before {@link #start}, there is nothing to do.
     *
     * @return {@link DriverResult#OK} once they are; else the requests that came back, up to the first that did not,
     *         have been reported
     */
    public DriverResult sync() {
        RequestQueue queue = requestQueue;
        return queue == null ? DriverResult.OK : queue.sync();
    }

    /**
     * The answer that was reported last, as after {@link #attach}.
     *
     * @return what the listener was given; valid until the next request is made
     * @throws IllegalStateException before {@link #start}
     */
    public RequestResult last() {
        return started(requestQueue).result();
    }

    // Events

    /**
     * Takes the next report from the event queue and puts its buffer back. The call that finds no more kicks for the
     * buffers that were put back, if the device wants to know.
     *
     * @param into filled with the report
     * @return false if there is none now, or the device broke a rule: see {@link #eventQueue}
     * @throws IllegalStateException before {@link #start}
     */
    public boolean pollEvent(FaultReport into) {
        return started(eventQueue).poll(into);
    }

    /**
     * Puts more buffers into the event queue, without a kick, where {@link IommuDriverOptions#eventBuffers} left room.
     *
     * @param count how many
     * @return how many there was room for
     * @throws IllegalStateException before {@link #start}
     */
    public int addEventBuffers(int count) {
        return started(eventQueue).fill(count);
    }

    // Looking inside

    /**
     * The ring that requests go through, for those who break its rules with a {@link RawRing}.
     *
     * @return the queue
     * @throws IllegalStateException before {@link #start}
     */
    public DriverQueue requestQueue() {
        return started(requestQueue).queue();
    }

    /**
     * The ring that events come through.
     *
     * @return the queue
     * @throws IllegalStateException before {@link #start}
     */
    public DriverQueue eventQueue() {
        return started(eventQueue).queue();
    }

    /**
     * What the device did wrong in the used ring of the request queue.
     *
     * @return the first thing since the last start
     * @throws IllegalStateException before {@link #start}
     */
    public UsedRingFailure requestFailure() {
        return requestQueue().failure();
    }

    /**
     * How many requests were made.
     *
     * @return a count over all starts
     */
    public long requests() {
        return requestCount;
    }

    /**
     * How often the device was kicked for requests; kicks that it did not want do not count.
     *
     * @return a count over all starts
     */
    public long kicks() {
        RequestQueue queue = requestQueue;
        return earlierKicks + (queue == null ? 0 : queue.kicks());
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
            started(eventQueue).fill(options.eventBuffers());
        }
        return StartResult.OK;
    }

    private StartResult setUpQueues() {
        forget();
        IommuConfiguration read = IommuConfiguration.read(transport);
        if (read == null) {
            return StartResult.CONFIG_UNSTABLE;
        }
        configuration = read;
        int requestSize = Math.min(options.requestQueueSize(), transport.queueSizeMax(REQUEST_QUEUE));
        int eventSize = Math.min(options.eventQueueSize(), transport.queueSizeMax(EVENT_QUEUE));
        if (requestSize == 0 || eventSize == 0) {
            return StartResult.NO_SUCH_QUEUE;
        }
        makeRequestQueue(requestSize, Integer.toUnsignedLong(read.probeSize()));
        makeEventQueue(eventSize);
        StartResult enabled = device.enable(requestQueue());
        return enabled == StartResult.OK ? device.enable(eventQueue()) : enabled;
    }

    private void makeRequestQueue(int size, long probeSize) {
        boolean indirect = device.negotiated().has(FeatureBit.INDIRECT_DESC) && size > 1;
        long tablesSize = (long) size * options.tableSize() * SplitDescriptor.SIZE;
        DriverQueue ring = new DriverQueue(REQUEST_QUEUE, requestRing.atLeast(size),
                device.negotiated().has(FeatureBit.EVENT_IDX), indirect ? tables.atLeast(tablesSize) : null);
        RequestQueue queue = new RequestQueue(transport, ring, slots.atLeast(size * RequestQueue.SLOT_SIZE), listener,
                options.pollLimit());
        queue.framing(framing);
        requestQueue = queue;
        probeWritable = probeSize + RequestTail.SIZE;
        probeBuffer = probe.atLeast(ProbeRequest.SIZE + probeWritable);
    }

    private void makeEventQueue(int size) {
        DriverQueue ring = device.queue(EVENT_QUEUE, eventRing.atLeast(size));
        eventQueue = new EventQueue(transport, ring, events.atLeast(size * EventQueue.STRIDE));
    }

    private void forget() {
        earlierKicks = kicks();
        requestQueue = null;
        eventQueue = null;
        configuration = null;
        probeOut = false;
        rawReadableUsed = 0;
        rawWritableUsed = 0;
    }

    private long begin(RequestQueue queue, int type) {
        requestCount++;
        long at = queue.slot();
        // The type and three reserved bytes.
        queue.slots().putI32(at + RequestHead.TYPE, type);
        return at;
    }

    /** The room for raw requests starts anew whenever none is on its way. */
    private DriverResult reserveRaw(RequestQueue queue, long readable, long writable) {
        boolean full = rawReadableUsed + readable > options.rawBytes()
                || rawWritableUsed + writable > options.rawBytes();
        DriverResult ready = full && queue.outCount() != 0 ? queue.sync() : queue.reserve();
        if (queue.outCount() == 0) {
            rawReadableUsed = 0;
            rawWritableUsed = 0;
        }
        return ready;
    }

    private static DriverResult andSync(RequestQueue queue, DriverResult submitted) {
        return submitted == DriverResult.OK ? queue.sync() : submitted;
    }

    private static <T> T started(@Nullable T part) {
        if (part == null) {
            throw new IllegalStateException("state=not started; call start(), or writeStatus up to DRIVER_OK, first");
        }
        return part;
    }
}
