// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.Features;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.VirtqueueLimit;
import org.virtio4j.wire.iommu.IommuFeature;
import org.virtio4j.wire.iommu.ReservedMemoryProperty;

/**
 * Sets up a {@link VirtioIommu}. What is not said has a value that a Linux guest on x86 works well with, but for the
 * endpoints and their reserved regions. Every method throws {@link IllegalArgumentException} at once for a value that
 * cannot work.
 */
public final class VirtioIommuBuilder {

    private static final Features ALL = Features.of(IommuFeature.INPUT_RANGE, IommuFeature.DOMAIN_RANGE,
            IommuFeature.MAP_UNMAP, IommuFeature.PROBE, IommuFeature.MMIO, IommuFeature.BYPASS_CONFIG);

    /**
     * A driver maps whole pages of its processor, so a larger granule is of no use to it. The largest page of a Linux
     * with this driver is that of arm64.
     */
    private static final long LARGEST_GRANULE = 1L << 16;

    /** One descriptor that the device reads, and one that it writes. */
    private static final int REQUEST_DESCRIPTORS = 2;

    private final Map<Integer, @Nullable ReservedRegions> endpoints = new LinkedHashMap<>();
    private final List<MappingListener> mappingListeners = new ArrayList<>();
    private final List<IommuListener> listeners = new ArrayList<>();
    private ReservedRegions reserved = ReservedRegions.NONE;
    private Features features = ALL;
    private long pageSizeMask = GuestMemory.PAGE_SIZE;
    private long inputStart;
    private long inputEnd = -1;
    private int domainStart;
    private int domainEnd = -1;
    private int probeSize = 512;
    private boolean bootBypass = true;
    private boolean bypassAfterReset;
    private int requestQueueSize = 256;
    private int eventQueueSize = 64;
    private long maxMappings = 1L << 22;
    private Duration stallLimit = Duration.ofMillis(100);
    private Duration linger = Duration.ZERO;
    private boolean polled;
    private LongSupplier nanoTime = System::nanoTime;

    VirtioIommuBuilder() {
    }

    /**
     * Puts an endpoint behind the IOMMU, with the regions given to {@link #reserved}.
     *
     * @param id how requests name it: bus/device/function for PCI
     * @return this
     */
    public VirtioIommuBuilder endpoint(int id) {
        return put(id, null);
    }

    /**
     * Puts an endpoint with regions of its own behind the IOMMU.
     *
     * @param id       how requests name it
     * @param reserved what its driver may not map
     * @return this
     */
    public VirtioIommuBuilder endpoint(int id, ReservedRegions reserved) {
        return put(id, Objects.requireNonNull(reserved));
    }

    /**
     * Says what drivers may not map for endpoints that have no regions of their own.
     *
     * @param regions {@link ReservedRegions#X86_MSI} for Linux on x86; {@link ReservedRegions#QEMU_VIRT_GICV2M} or
     *                {@link ReservedRegions#QEMU_VIRT_ITS} on that board
     * @return this
     */
    public VirtioIommuBuilder reserved(ReservedRegions regions) {
        reserved = Objects.requireNonNull(regions);
        return this;
    }

    /**
     * Sets the page sizes (section 5.13.4). Default 0x1000: with one bit Linux sends one MAP for a whole contiguous
     * run, with several it splits the run. Linux cannot use a granule larger than its own page, which is 4096 bytes on
     * x86: it then leaves devices without translation.
     *
     * @param mask the lowest bit is the granule, 4096 to 65,536; further bits are hints
     * @return this
     * @throws IllegalArgumentException also if no such page lies within the input range
     */
    public VirtioIommuBuilder pageSizeMask(long mask) {
        long granule = Long.lowestOneBit(mask);
        if (mask == 0 || Long.compareUnsigned(granule, GuestMemory.PAGE_SIZE) < 0) {
            throw new IllegalArgumentException("mask=0x" + Long.toHexString(mask)
                    + ", but its lowest bit is the granule and must be " + GuestMemory.PAGE_SIZE + " at least");
        }
        if (Long.compareUnsigned(granule, LARGEST_GRANULE) > 0) {
            throw new IllegalArgumentException("mask=0x" + Long.toHexString(mask) + ", but its lowest bit is the"
                    + " granule, and no guest has pages larger than " + LARGEST_GRANULE + " bytes; add its page size");
        }
        if (!new UsablePages(inputStart, inputEnd, granule).any(ReservedRegions.NONE)) {
            throw new IllegalArgumentException("mask=0x" + Long.toHexString(mask) + ", but the input range "
                    + range(inputStart, inputEnd) + " has no page of " + granule + " bytes; widen the range, or add a"
                    + " smaller page size");
        }
        pageSizeMask = mask;
        return this;
    }

    /**
     * Limits the addresses that can be mapped. Default: all 64 bits, and always so without INPUT_RANGE.
     *
     * @param start first I/O-virtual address
     * @param end   last I/O-virtual address, inclusive
     * @return this
     * @throws IllegalArgumentException also if no page of the granule lies within
     */
    public VirtioIommuBuilder inputRange(long start, long end) {
        if (Long.compareUnsigned(end, start) < 0) {
            throw new IllegalArgumentException("start=0x" + Long.toHexString(start) + " lies behind end=0x"
                    + Long.toHexString(end) + "; the end is inclusive");
        }
        long granule = Long.lowestOneBit(pageSizeMask);
        if (!new UsablePages(start, end, granule).any(ReservedRegions.NONE)) {
            throw new IllegalArgumentException("start=0x" + Long.toHexString(start) + ", end=0x"
                    + Long.toHexString(end) + " have no page of " + granule + " bytes between them, and smaller ones"
                    + " cannot be mapped; widen the range");
        }
        inputStart = start;
        inputEnd = end;
        return this;
    }

    /**
     * Limits the domain numbers. Default: all 32 bits, and always so without DOMAIN_RANGE. Linux detaches identity
     * domains by the number 0, so start there.
     *
     * @param start lowest number, unsigned
     * @param end   highest number, unsigned, inclusive
     * @return this
     */
    public VirtioIommuBuilder domainRange(int start, int end) {
        if (Integer.compareUnsigned(end, start) < 0) {
            throw new IllegalArgumentException("start=" + Integer.toUnsignedString(start) + " is larger than end="
                    + Integer.toUnsignedString(end) + "; the end is inclusive");
        }
        domainStart = start;
        domainEnd = end;
        return this;
    }

    /**
     * Sets how much room a driver gives the properties of an endpoint. Default 512.
     *
     * @param bytes enough for the reserved regions of every endpoint, 24 bytes each
     * @return this
     */
    public VirtioIommuBuilder probeSize(int bytes) {
        if (bytes < 0 || bytes > 65_536) {
            throw new IllegalArgumentException("probeSize=" + bytes + ", but 0 to 65536 bytes can be answered");
        }
        probeSize = bytes;
        return this;
    }

    /**
     * Says whether endpoints that are attached to nothing reach guest-physical memory at power-on. Default true, for
     * firmware reads disks before any driver is there.
     *
     * @param on the value of the configuration's bypass byte after a system reset
     * @return this
     */
    public VirtioIommuBuilder bootBypass(boolean on) {
        bootBypass = on;
        return this;
    }

    /**
     * Says what becomes of an attached endpoint at a device reset. Default false: it stays blocked until it is reset or
     * attached again, lest DMA that is still on its way take its I/O-virtual addresses for physical ones. True is the
     * letter of section 5.13.5: it is attached to nothing, and the bypass byte decides.
     *
     * @param on whether the bypass byte counts at once
     * @return this
     */
    public VirtioIommuBuilder bypassAfterReset(boolean on) {
        bypassAfterReset = on;
        return this;
    }

    /**
     * Does not offer a feature.
     *
     * @param bit one of {@link IommuFeature}
     * @return this
     */
    public VirtioIommuBuilder without(int bit) {
        features = features.without(bit);
        return this;
    }

    /**
     * Sets the largest sizes of the two queues, powers of two up to 32,768. Default 256 and 64. Linux takes the
     * largest, and a larger request queue makes fewer, larger batches.
     *
     * @param requests entries of the request queue, 2 at least: no chain may be longer than its queue (section 2.7.5),
     *                 and a request is read and written (section 5.13.6), so it has two descriptors
     * @param events   entries of the event queue; 1 will do, for then faults wait for one another
     * @return this
     */
    public VirtioIommuBuilder queueSizes(int requests, int events) {
        if (!isQueueSize(requests, REQUEST_DESCRIPTORS)) {
            throw new IllegalArgumentException("requests=" + requests + ", but a power of two from 2 to "
                    + VirtqueueLimit.MAX_SIZE + " is needed: a request takes two descriptors");
        }
        if (!isQueueSize(events, 1)) {
            throw new IllegalArgumentException("events=" + events + ", but a power of two from 1 to "
                    + VirtqueueLimit.MAX_SIZE + " is needed");
        }
        requestQueueSize = requests;
        eventQueueSize = events;
        return this;
    }

    /**
     * Limits how many mappings live in all domains together; a MAP beyond it gets NOMEM. Default 4,194,304. About 200
     * bytes of address space are reserved for each, and committed as they are used. A Linux guest comes to a standstill
     * at the limit, for some versions take NOMEM for success: give it far more than it can use, which is one mapping
     * for each ring and for each piece of each request that its devices have at hand, and on top of that what it has
     * not taken away yet.
     *
     * @param mappings at least 1
     * @return this
     */
    public VirtioIommuBuilder maxMappings(long mappings) {
        if (mappings < 1 || mappings > 1L << 30) {
            throw new IllegalArgumentException("maxMappings=" + mappings + ", but 1 to 2^30 can be kept");
        }
        maxMappings = mappings;
        return this;
    }

    /**
     * Sets when {@link IommuListener#stalled} hears of a device that holds up an UNMAP. Default 100 ms.
     *
     * @param limit how long to wait before
     * @return this
     */
    public VirtioIommuBuilder stallLimit(Duration limit) {
        stallLimit = Objects.requireNonNull(limit);
        return this;
    }

    /**
     * Keeps looking for further requests after the last was answered, before the driver is asked to notify again. Linux
     * maps piece by piece and spins for each answer; where a notification costs far more than a request, as it does
     * between processes, most notifications are saved. A driver that wants an interrupt is not kept waiting. Default
     * zero, which is right where the kick comes on the virtual CPU's own thread: nothing is added meanwhile.
     *
     * @param time how long the thread that kicks looks, with the control lock held; a second at most
     * @return this
     */
    public VirtioIommuBuilder linger(Duration time) {
        if (time.isNegative() || time.compareTo(Duration.ofSeconds(1)) > 0) {
            throw new IllegalArgumentException("linger=" + time + ", but it must be zero to one second");
        }
        linger = time;
        return this;
    }

    /**
     * Finds requests without notifications, and asks the driver for none (section 2.7.10): a thread of the embedder's
     * calls the {@code poll} of the function or window again and again. Linux, which spins for each answer, waits as
     * long as that thread takes to come. A notification that comes all the same is served in the kick. {@link #linger}
     * has no effect then.
     *
     * @return this
     */
    public VirtioIommuBuilder polled() {
        polled = true;
        return this;
    }

    /**
     * Sets what {@link #linger} is measured with. Default {@link System#nanoTime}.
     *
     * @param clock counts nanoseconds from anywhere; asked under the control lock, which it must not call back
     * @return this
     */
    public VirtioIommuBuilder nanoTime(LongSupplier clock) {
        nanoTime = Objects.requireNonNull(clock);
        return this;
    }

    /**
     * Mirrors every mapping elsewhere.
     *
     * @param listener is asked before each change, after those that were given before, and may refuse it
     * @return this
     */
    public VirtioIommuBuilder mappingListener(MappingListener listener) {
        mappingListeners.add(Objects.requireNonNull(listener));
        return this;
    }

    /**
     * Observes the IOMMU.
     *
     * @param listener is told after those that were given before
     * @return this
     */
    public VirtioIommuBuilder listener(IommuListener listener) {
        listeners.add(Objects.requireNonNull(listener));
        return this;
    }

    /**
     * Finds out whether an endpoint with such regions fits what was said so far. {@link #build} does so for each
     * endpoint; who reads regions from somewhere can ask here, and say where.
     *
     * @param regions what an endpoint's driver may not map
     * @throws IllegalArgumentException if they do not fit into the probe size, or leave nothing that can be mapped
     */
    public void check(ReservedRegions regions) {
        long needed = regions.count() * ReservedMemoryProperty.SIZE;
        if (features.has(IommuFeature.PROBE) && needed > probeSize) {
            throw new IllegalArgumentException("probeSize=" + probeSize + ", but the properties of an endpoint need "
                    + needed + " bytes");
        }
        long granule = Long.lowestOneBit(pageSizeMask);
        if (!new UsablePages(firstInput(), lastInput(), granule).any(regions)) {
            throw new IllegalArgumentException("regions=" + words(regions) + " leave no page of " + granule
                    + " bytes in the input range " + range(firstInput(), lastInput()) + "; widen the range, or reserve"
                    + " less");
        }
    }

    /**
     * Makes the device.
     *
     * @return an IOMMU with all endpoints attached to nothing
     * @throws IllegalArgumentException if the regions of an endpoint do not fit, see {@link #check}
     */
    public VirtioIommu build() {
        checkEndpoints();
        boolean domains = features.has(IommuFeature.DOMAIN_RANGE);
        IommuSettings settings = new IommuSettings(features, pageSizeMask, firstInput(), lastInput(),
                domains ? domainStart : 0, domains ? domainEnd : -1, probeSize, bootBypass, bypassAfterReset,
                requestQueueSize, eventQueueSize, maxMappings, stallLimit.toNanos(),
                polled ? 0 : linger.toNanos(), polled);
        List<Endpoint> all = new ArrayList<>();
        endpoints.forEach((id, regions) -> all.add(new Endpoint(id, regionsOf(regions))));
        return new VirtioIommu(settings, all, List.copyOf(mappingListeners), List.copyOf(listeners), nanoTime);
    }

    private VirtioIommuBuilder put(int id, @Nullable ReservedRegions regions) {
        if (endpoints.containsKey(id)) {
            throw new IllegalArgumentException("endpoint=0x" + Integer.toHexString(id) + " was added before");
        }
        endpoints.put(id, regions);
        return this;
    }

    private ReservedRegions regionsOf(@Nullable ReservedRegions own) {
        return own == null ? reserved : own;
    }

    private void checkEndpoints() {
        endpoints.forEach((id, regions) -> {
            try {
                check(regionsOf(regions));
            } catch (IllegalArgumentException unfit) {
                throw new IllegalArgumentException("endpoint=0x" + Integer.toHexString(id) + ": "
                        + unfit.getMessage(), unfit);
            }
        });
    }

    /** Without the feature a driver cannot know of a range, so everything is valid (section 5.13.6). */
    private long firstInput() {
        return features.has(IommuFeature.INPUT_RANGE) ? inputStart : 0;
    }

    private long lastInput() {
        return features.has(IommuFeature.INPUT_RANGE) ? inputEnd : -1;
    }

    private static boolean isQueueSize(int entries, int least) {
        return Integer.bitCount(entries) == 1 && entries >= least && entries <= VirtqueueLimit.MAX_SIZE;
    }

    private static String words(ReservedRegions regions) {
        return regions.list().stream().map(region -> region.kind().name().toLowerCase(Locale.ROOT) + " "
                + range(region.start(), region.end())).collect(Collectors.joining(", "));
    }

    private static String range(long start, long end) {
        return "0x" + Long.toHexString(start) + " to 0x" + Long.toHexString(end);
    }
}
