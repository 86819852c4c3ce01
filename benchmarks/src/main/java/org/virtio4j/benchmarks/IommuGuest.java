// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks;

import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.virtio4j.benchmarks.TransportKind.Attached;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestBuffer;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.VirtioDriver;
import org.virtio4j.driver.hostile.RawRing;
import org.virtio4j.iommu.VirtioIommu;
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
 * A guest with an IOMMU and one endpoint behind it, attached to one domain. Each request is a readable and a writable
 * descriptor, in the ring, as Linux has it without indirect tables, or in a table of its own. Requests are written
 * with {@link #placeMap} and {@link #placeUnmap}; what is measured is {@link #serveInBatches} and {@link #serveAll}.
 */
public final class IommuGuest implements AutoCloseable {

    /** What the device serves in one go. */
    public static final int BATCH = 64;

    /** Where a guest's RAM for data begins, for rows that have some; rings and requests lie at 0. */
    public static final long DATA = 1L << 36;

    private static final FeatureSet FEATURES =
            FeatureSet.of(FeatureBit.VERSION_1, FeatureBit.EVENT_IDX, IommuFeature.MAP_UNMAP);
    private static final int USUAL_CHAINS = 128;
    private static final int EVENT_RING = 64;
    private static final long EVENT_SLOT = 64;
    private static final long RAM = 1 << 20;
    private static final int DOMAIN = 1;
    private static final int ENDPOINT = 8;
    private static final long SLOT_SIZE = 64;
    private static final long TABLE_SIZE = 2 * SplitDescriptor.SIZE;
    private static final long TAIL = 48;
    private static final int NOT_ANSWERED = 0xff;

    private final GuestMemory memory = GuestMemory.anonymous(0, RAM);
    private final int chains;
    private final VirtioIommu iommu;
    private final GuestBuffer slots;
    /** Two descriptors for each chain; null if they are in the ring. */
    private final @Nullable GuestBuffer tables;
    private final PlacedRing requests;
    private final PlacedRing events;
    private final Doorbell doorbell;
    private int placed;

    /** With a request ring of 256 entries and no indirect tables. */
    public IommuGuest(TransportKind kind, long mostMappings) {
        this(kind, mostMappings, USUAL_CHAINS, false);
    }

    /**
     * Sets it up.
     *
     * @param chains   how many requests the ring holds; with tables that is its size, without half of it
     * @param indirect whether each has a table of its own
     */
    public IommuGuest(TransportKind kind, long mostMappings, int chains, boolean indirect) {
        this.chains = chains;
        int ring = indirect ? chains : 2 * chains;
        iommu = VirtioIommu.builder().endpoint(ENDPOINT).maxMappings(mostMappings).queueSizes(ring, EVENT_RING).build();
        GuestRam ram = new GuestRam(memory, 0, RAM);
        slots = ram.buffer(chains * SLOT_SIZE, GuestMemory.PAGE_SIZE);
        tables = indirect ? ram.buffer(chains * TABLE_SIZE, GuestMemory.PAGE_SIZE) : null;
        requests = new PlacedRing(memory, ram, ring,
                IntStream.range(0, chains).map(chain -> indirect ? chain : 2 * chain).toArray());
        events = new PlacedRing(memory, ram, EVENT_RING, IntStream.range(0, EVENT_RING).toArray());
        Attached attached = kind.attach(iommu, memory);
        doorbell = attached.doorbell();
        start(new VirtioDriver(attached.driver(), indirect ? FEATURES.with(FeatureBit.INDIRECT_DESC) : FEATURES));
        // The driver that enables a ring clears it, so the chains come after that.
        fillRings(ram.buffer(EVENT_RING * EVENT_SLOT, GuestMemory.PAGE_SIZE));
        placeAttach();
        serveAll();
        check();
    }

    /**
     * A guest behind virtio-mmio.
     *
     * @param mostMappings limit of the device
     */
    public static IommuGuest behindMmio(long mostMappings) {
        return new IommuGuest(TransportKind.MMIO, mostMappings);
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
        for (int chain = 0; chain < chains; chain++) {
            putDescriptor(chain, 1, slots.address() + chain * SLOT_SIZE + TAIL, RequestTail.SIZE,
                    SplitDescriptor.FLAG_WRITE);
            if (tables != null) {
                requests.raw().putDescriptor(chain, tables.address() + chain * TABLE_SIZE, TABLE_SIZE,
                        SplitDescriptor.FLAG_INDIRECT, 0);
            }
        }
        for (int i = 0; i < EVENT_RING; i++) {
            events.raw().putDescriptor(i, eventSlots.address() + i * EVENT_SLOT, FaultEvent.SIZE,
                    SplitDescriptor.FLAG_WRITE, 0);
        }
        events.makeAvailable(EVENT_RING);
    }

    public GuestMemory memory() {
        return memory;
    }

    /** What a device at the endpoint reaches. */
    public DmaSpace endpointSpace() {
        return DmaSpace.of(memory, iommu.translator(ENDPOINT));
    }

    /** How many mappings there are. */
    public long liveMappings() {
        return iommu.liveMappings();
    }

    /** The same for one that remembers nothing from section to section. */
    public DmaSpace forgetfulSpace() {
        return DmaSpace.of(memory, new ForgetfulTranslator(iommu.translator(ENDPOINT)));
    }

    /** How many translations did not need the table. */
    long cacheHits() {
        return iommu.counters().cacheHits();
    }

    /** How many fault reports the driver got. */
    public long reportedFaults() {
        return iommu.counters().reportedFaults();
    }

    // Outside the measured time

    /**
     * Writes a MAP.
     *
     * @param virtStart first address
     * @param virtEnd   last address, inclusive
     * @param physStart where the first leads
     */
    public void placeMap(long virtStart, long virtEnd, long physStart) {
        long at = begin(RequestType.MAP, MapRequest.SIZE);
        slots.putI32(at + MapRequest.DOMAIN, DOMAIN);
        slots.putI64(at + MapRequest.VIRT_START, virtStart);
        slots.putI64(at + MapRequest.VIRT_END, virtEnd);
        slots.putI64(at + MapRequest.PHYS_START, physStart);
        slots.putI32(at + MapRequest.FLAGS, MapRequest.FLAG_READ | MapRequest.FLAG_WRITE);
    }

    /**
     * Writes an UNMAP.
     *
     * @param virtStart first address
     * @param virtEnd   last address, inclusive
     */
    public void placeUnmap(long virtStart, long virtEnd) {
        long at = begin(RequestType.UNMAP, UnmapRequest.SIZE);
        slots.putI32(at + UnmapRequest.DOMAIN, DOMAIN);
        slots.putI64(at + UnmapRequest.VIRT_START, virtStart);
        slots.putI64(at + UnmapRequest.VIRT_END, virtEnd);
        slots.putI32(at + UnmapRequest.RESERVED, 0);
    }

    /** Maps now what is placed, once a batch is full. */
    public void map(long virtStart, long virtEnd, long physStart) {
        placeMap(virtStart, virtEnd, physStart);
        if (placed == BATCH) {
            flush();
        }
    }

    /** Has everything served that is placed. */
    public void flush() {
        serveAll();
        check();
    }

    /** Throws unless all that was served since the last check was answered, and with {@code OK}. */
    public void check() {
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

    /** Makes the placed requests available in batches, each with one store and one doorbell; they are whole. */
    public void serveInBatches(int batch) {
        for (int i = 0; i < placed; i += batch) {
            requests.makeAvailable(batch);
            doorbell.write();
        }
    }

    /** Makes the placed requests available with one store and one doorbell. */
    public void serveAll() {
        requests.makeAvailable(placed);
        doorbell.write();
    }

    /** Gives the buffer of a fault report back to the device. */
    public void returnEvent() {
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
        putDescriptor(chain, 0, slots.address() + at, readableLength, SplitDescriptor.FLAG_NEXT);
        placed++;
        return at;
    }

    /** Writes one of the two descriptors of a chain; the first is followed by the second. */
    private void putDescriptor(int chain, int which, long address, long length, int flags) {
        if (tables == null) {
            requests.raw().putDescriptor(2 * chain + which, address, length, flags, 2 * chain + 1);
        } else {
            RawRing.putDescriptor(tables, 2 * chain + which, address, length, flags, 1);
        }
    }

    /** Where the request lies that many entries behind the available index. */
    private long slot(int behind) {
        return ((requests.available() + behind) & (chains - 1)) * SLOT_SIZE;
    }

    private static void require(StartResult result) {
        if (result != StartResult.OK) {
            throw new IllegalStateException("start=" + result + ": the device cannot be driven");
        }
    }
}
