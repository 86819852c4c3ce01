// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.iommu;

import org.virtio4j.driver.DriverQueue;
import org.virtio4j.driver.DriverTransport;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.UsedRingFailure;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.wire.DeviceStatus;
import org.virtio4j.wire.DeviceType;
import org.virtio4j.wire.iommu.AttachRequest;
import org.virtio4j.wire.iommu.IommuConfig;
import org.virtio4j.wire.iommu.MapRequest;

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
 * for requests. Each answer goes to the {@link AnswerListener} with the {@code tag} of its request.
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

    private final DriverTransport transport;
    private final VirtioDriver device;
    private final IommuBringUp bringUp;

    /**
     * A driver that behaves like Linux and has not touched its device yet.
     *
     * @param transport the way to a virtio-iommu
     * @param ram       memory for rings and requests, 2 MiB for a ring of 256 entries
     * @param listener  gets each answer
     * @throws IllegalArgumentException if the device is something else
     * @throws IllegalStateException if there is not enough memory
     */
    public IommuDriver(DriverTransport transport, GuestRam ram, AnswerListener listener) {
        this(transport, ram, IommuDriverOptions.LINUX, listener);
    }

    /**
     * A driver that has not touched its device yet.
     *
     * @param transport the way to a virtio-iommu
     * @param ram       memory for rings and requests
     * @param options   how to behave
     * @param listener  gets each answer
     * @throws IllegalArgumentException if the device is something else
     * @throws IllegalStateException if there is not enough memory
     */
    public IommuDriver(DriverTransport transport, GuestRam ram, IommuDriverOptions options, AnswerListener listener) {
        if (transport.deviceType() != DeviceType.IOMMU) {
            throw new IllegalArgumentException("deviceType=" + transport.deviceType() + ", but a virtio-iommu is "
                    + DeviceType.IOMMU);
        }
        this.transport = transport;
        this.device = new VirtioDriver(transport, options.wanted());
        this.bringUp = new IommuBringUp(device, ram, options, listener);
    }

    // Bringing the device up

    /**
     * Resets the device and brings it up. May be called again at any time, as a guest that reboots does.
     *
     * @return {@link StartResult#OK}, or the first step that failed; the device is marked {@code FAILED} then
     * @throws IllegalStateException if there is not enough guest memory for what the device asks for
     */
    public StartResult start() {
        return bringUp.start();
    }

    /**
     * Writes the device status, with what Linux does at that step. At 0 it drops all requests and waits for the reset.
     * It accepts features before {@code FEATURES_OK} and reads that back. It sets up the queues before {@code
     * DRIVER_OK} and fills the event queue after it, without a kick. {@link #start} writes 0, 1, 3, 11 and 15.
     *
     * @param status a sum of {@link DeviceStatus} bits
     * @return {@link StartResult#OK}, or what failed; where it failed before the write, nothing is written
     * @throws IllegalStateException if there is not enough guest memory for what the device asks for
     */
    public StartResult writeStatus(int status) {
        return bringUp.writeStatus(status);
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
        return bringUp.configuration();
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
     * Chooses how requests are laid out in descriptors, from the next one on and after every start.
     *
     * @param layout {@link ChainLayout#PLAIN} at the beginning
     */
    public void chainLayout(ChainLayout layout) {
        bringUp.chainLayout(layout);
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
        return bringUp.requests().attach(tag, domain, endpoint, flags);
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
        return bringUp.requests().detach(tag, domain, endpoint);
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
        return bringUp.requests().map(tag, domain, virtStart, virtEnd, physStart, flags);
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
        return bringUp.requests().unmap(tag, domain, virtStart, virtEnd);
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
        return bringUp.requests().probe(tag, endpoint);
    }

    /**
     * Makes sure that one more request can be made without waiting: waits for all others, which is a kick too, if there
     * are as many as the ring has entries.
     *
     * @return {@link DriverResult#OK} once there is room
     * @throws IllegalStateException before {@link #start}
     */
    public DriverResult reserve() {
        return bringUp.requests().queue().reserve();
    }

    /**
     * Queues a request that the caller has written into guest memory, without a kick, after {@link #reserve}. For
     * requests that no other method sends; nothing of it is checked.
     *
     * @param tag             anything; comes back with the answer
     * @param type            what {@link RequestResult#type} says
     * @param readableAddress where the device reads the request, as the device sees memory
     * @param readableLength  bytes of the readable part
     * @param writable        where the device writes; its content is the caller's to prepare
     * @param writableOffset  where in that buffer the writable part begins
     * @param writableLength  bytes of the writable part; it may be said to be longer than the buffer
     * @return {@link DriverResult#OK} once it is in the ring
     * @throws IllegalArgumentException if a length has more than 32 bits
     * @throws IllegalStateException before {@link #start}
     */
    public DriverResult submit(long tag, int type, long readableAddress, long readableLength, GuestBuffer writable,
            long writableOffset, long writableLength) {
        return bringUp.requests().submit(tag, type, readableAddress, readableLength, writable, writableOffset,
                writableLength);
    }

    /**
     * Kicks once, if anything was queued since the last kick and the device wants to know, and looks at the used ring
     * until all requests are back. Where none is on its way, also before {@link #start}, there is nothing to do.
     *
     * @return {@link DriverResult#OK} once they are; else the requests that came back, up to the first that did not,
     *         have been reported
     */
    public DriverResult sync() {
        return bringUp.isStarted() ? bringUp.requests().queue().sync() : DriverResult.OK;
    }

    /**
     * The answer that was reported last, as after {@link #attach}.
     *
     * @return what the listener was given; valid until the next request is made
     * @throws IllegalStateException before {@link #start}
     */
    public RequestResult last() {
        return bringUp.requests().queue().result();
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
        return bringUp.eventQueue().poll(into);
    }

    /**
     * Puts more buffers into the event queue, without a kick, where {@link IommuDriverOptions#eventBuffers} left room.
     *
     * @param count how many
     * @return how many there was room for
     * @throws IllegalStateException before {@link #start}
     */
    public int addEventBuffers(int count) {
        return bringUp.eventQueue().fill(count);
    }

    // Looking inside

    /**
     * The ring that requests go through, for those who want to look at it, or to break its rules.
     *
     * @return the queue
     * @throws IllegalStateException before {@link #start}
     */
    public DriverQueue requestQueue() {
        return bringUp.requests().queue().queue();
    }

    /**
     * The ring that events come through.
     *
     * @return the queue
     * @throws IllegalStateException before {@link #start}
     */
    public DriverQueue eventQueue() {
        return bringUp.eventQueue().queue();
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
        return bringUp.requestCount();
    }

    /**
     * How often the device was kicked for requests; kicks that it did not want do not count.
     *
     * @return a count over all starts
     */
    public long kicks() {
        return bringUp.kickCount();
    }
}
