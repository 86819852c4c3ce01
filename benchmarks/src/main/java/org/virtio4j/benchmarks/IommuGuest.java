// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks;

import java.util.stream.IntStream;
import org.virtio4j.benchmarks.TransportKind.Attached;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.vmm.DmaSpace;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.SplitDescriptor;
import org.virtio4j.wire.iommu.AttachRequest;
import org.virtio4j.wire.iommu.FaultEvent;
import org.virtio4j.wire.iommu.IommuFeature;
import org.virtio4j.wire.iommu.MapRequest;
import org.virtio4j.wire.iommu.RequestHead;
import org.virtio4j.wire.iommu.RequestTail;
import org.virtio4j.wire.iommu.RequestType;
import org.virtio4j.wire.iommu.UnmapRequest;

/**
 * A guest with an IOMMU and one endpoint behind it, attached to one domain. Its request ring has 256 entries, a
 * readable and a writable descriptor for each request, and no indirect tables, as Linux has it without that feature.
 * Requests are written with {@link #placeMap} and {@link #placeUnmap}; what is measured is {@link #serveEach} and
 * {@link #serveAll}.
 */
final class IommuGuest implements AutoCloseable {

    /** Most requests that can be placed at a time, and what the device serves in one go. */
    static final int BATCH = 64;

    /** Where a guest's RAM for data begins, for rows that have some; rings and requests lie at 0. */
    static final long DATA = 1L << 36;

    private static final int RING = 256;
    private static final int CHAINS = RING / 2;
    private static final int EVENT_RING = 64;
    private static final long EVENT_SLOT = 64;
    private static final long RAM = 1 << 20;
    private static final int DOMAIN = 1;
    private static final int ENDPOINT = 8;
    private static final long SLOT_SIZE = 64;
    private static final long TAIL = 48;
    private static final int NOT_ANSWERED = 0xff;

    private final GuestMemory memory = GuestMemory.anonymous(0, RAM);
    private final VirtioIommu iommu;
    private final GuestBuffer slots;
    private final PlacedRing requests;
    private final PlacedRing events;
    private final Doorbell doorbell;
    private int placed;

    IommuGuest(TransportKind kind, long mostMappings) {
        iommu = VirtioIommu.builder().endpoint(ENDPOINT).maxMappings(mostMappings).build();
        GuestRam ram = new GuestRam(memory, 0, RAM);
        slots = ram.buffer(CHAINS * SLOT_SIZE, GuestMemory.PAGE_SIZE);
        requests = new PlacedRing(memory, ram, RING, IntStream.range(0, CHAINS).map(chain -> 2 * chain).toArray());
        events = new PlacedRing(memory, ram, EVENT_RING, IntStream.range(0, EVENT_RING).toArray());
        Attached attached = kind.attach(iommu, memory);
        doorbell = attached.doorbell();
        start(new VirtioDriver(attached.driver(), FeatureSet.of(FeatureBit.VERSION_1, FeatureBit.EVENT_IDX,
                IommuFeature.MAP_UNMAP)));
        // The driver that enables a ring clears it, so the chains come after that.
        fillRings(ram.buffer(EVENT_RING * EVENT_SLOT, GuestMemory.PAGE_SIZE));
        placeAttach();
        serveAll();
        check();
    }

    private void start(VirtioDriver driver) {
        require(driver.begin());
        require(driver.enable(driver.queue(0, requests.memory())));
        require(driver.enable(driver.queue(1, events.memory())));
        require(driver.driverOk());
    }

    private void fillRings(GuestBuffer eventSlots) {
        requests.fillAvailable();
        events.fillAvailable();
        for (int chain = 0; chain < CHAINS; chain++) {
            long slot = slots.address() + chain * SLOT_SIZE;
            requests.raw().putDescriptor(2 * chain + 1, slot + TAIL, RequestTail.SIZE, SplitDescriptor.FLAG_WRITE, 0);
        }
        for (int i = 0; i < EVENT_RING; i++) {
            events.raw().putDescriptor(i, eventSlots.address() + i * EVENT_SLOT, FaultEvent.SIZE,
                    SplitDescriptor.FLAG_WRITE, 0);
        }
        events.makeAvailable(EVENT_RING);
    }

    GuestMemory memory() {
        return memory;
    }

    /** What a device at the endpoint reaches. */
    DmaSpace endpointSpace() {
        return DmaSpace.of(memory, iommu.translator(ENDPOINT));
    }

    long liveMappings() {
        return iommu.liveMappings();
    }

    /** The same for one that remembers nothing from section to section. */
    DmaSpace forgetfulSpace() {
        return DmaSpace.of(memory, new ForgetfulTranslator(iommu.translator(ENDPOINT)));
    }

    /** How many translations did not need the table. */
    long cacheHits() {
        return iommu.counters().cacheHits();
    }

    /** How many fault reports the driver got. */
    long reportedFaults() {
        return iommu.counters().reportedFaults();
    }

    // Outside the measured time

    void placeMap(long virtStart, long virtEnd, long physStart) {
        long at = begin(RequestType.MAP, MapRequest.SIZE);
        slots.putI32(at + MapRequest.DOMAIN, DOMAIN);
        slots.putI64(at + MapRequest.VIRT_START, virtStart);
        slots.putI64(at + MapRequest.VIRT_END, virtEnd);
        slots.putI64(at + MapRequest.PHYS_START, physStart);
        slots.putI32(at + MapRequest.FLAGS, MapRequest.FLAG_READ | MapRequest.FLAG_WRITE);
    }

    void placeUnmap(long virtStart, long virtEnd) {
        long at = begin(RequestType.UNMAP, UnmapRequest.SIZE);
        slots.putI32(at + UnmapRequest.DOMAIN, DOMAIN);
        slots.putI64(at + UnmapRequest.VIRT_START, virtStart);
        slots.putI64(at + UnmapRequest.VIRT_END, virtEnd);
        slots.putI32(at + UnmapRequest.RESERVED, 0);
    }

    /** Maps now what is placed, once a batch is full. */
    void map(long virtStart, long virtEnd, long physStart) {
        placeMap(virtStart, virtEnd, physStart);
        if (placed == BATCH) {
            flush();
        }
    }

    /** Has everything served that is placed. */
    void flush() {
        serveAll();
        check();
    }

    /** Throws unless all that was served since the last check was answered, and with {@code OK}. */
    void check() {
        requests.checkAllUsed();
        for (int i = 0; i < placed; i++) {
            int status = slots.u8(slot(i - placed) + TAIL + RequestTail.STATUS);
            if (status != 0) {
                throw new IllegalStateException("status=" + status + ": the device refused what is being measured");
            }
        }
        placed = 0;
    }

    // Inside the measured time

    /** Makes the placed requests available one by one, each with a doorbell of its own. */
    void serveEach() {
        for (int i = 0; i < placed; i++) {
            requests.makeAvailable(1);
            doorbell.write();
        }
    }

    /** Makes the placed requests available with one store and one doorbell. */
    void serveAll() {
        requests.makeAvailable(placed);
        doorbell.write();
    }

    /** Gives the buffer of a fault report back to the device. */
    void returnEvent() {
        events.makeAvailable(1);
    }

    @Override
    public void close() {
        memory.close();
    }

    private void placeAttach() {
        long at = begin(RequestType.ATTACH, AttachRequest.SIZE);
        slots.putI32(at + AttachRequest.DOMAIN, DOMAIN);
        slots.putI32(at + AttachRequest.ENDPOINT, ENDPOINT);
        slots.putI32(at + AttachRequest.FLAGS, 0);
        slots.putI32(at + AttachRequest.RESERVED, 0);
    }

    private long begin(int type, long readableLength) {
        long at = slot(placed);
        int chain = (int) (at / SLOT_SIZE);
        slots.putI32(at + RequestHead.TYPE, type);
        slots.putU8(at + TAIL + RequestTail.STATUS, NOT_ANSWERED);
        requests.raw().putDescriptor(2 * chain, slots.address() + at, readableLength, SplitDescriptor.FLAG_NEXT,
                2 * chain + 1);
        placed++;
        return at;
    }

    /** Where the request lies that many entries behind the available index. */
    private long slot(int behind) {
        return ((requests.available() + behind) & (CHAINS - 1)) * SLOT_SIZE;
    }

    private static void require(StartResult result) {
        if (result != StartResult.OK) {
            throw new IllegalStateException("start=" + result + ": the device cannot be driven");
        }
    }
}
