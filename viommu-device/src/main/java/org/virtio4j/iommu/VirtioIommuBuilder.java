// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.virtio4j.device.Features;
import org.virtio4j.iommu.domain.Limits;
import org.virtio4j.iommu.embedder.IommuListener;
import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.iommu.request.RequestLimits;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.iommu.IommuFeature;

/**
 * Sets up a {@link VirtioIommu}. Settings that are not made have a value that a Linux guest on x86 works well with,
 * except for the endpoints and their reserved regions. Every method throws {@link IllegalArgumentException} at once for
 * a value that cannot work.
 */
public final class VirtioIommuBuilder {

    private static final Features ALL = Features.of(IommuFeature.INPUT_RANGE, IommuFeature.DOMAIN_RANGE,
            IommuFeature.MAP_UNMAP, IommuFeature.PROBE, IommuFeature.MMIO, IommuFeature.BYPASS_CONFIG);

    private final Map<Integer, @Nullable ReservedRegions> endpoints = new LinkedHashMap<>();
    private final List<int[]> groups = new ArrayList<>();
    private final Map<MappingListener, int[]> mappingListeners = new LinkedHashMap<>();
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
    private int maxEndpoints = 4_096;
    private int maxDomains = Integer.MAX_VALUE;
    private long maxMappingsPerDomain = Long.MAX_VALUE;
    private Duration stallLimit = Duration.ofMillis(100);
    private Duration linger = Duration.ZERO;
    private boolean polled;
    private LongSupplier nanoTime = System::nanoTime;
    private @Nullable TopologyBytes topology;

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
     * Says that several ids stand for one device: its aliases, or what a bridge gives to all that lies behind it. An
     * ATTACH of one attaches all of them, and none if one cannot be. DETACH detaches the one that it names, and is OK
     * too for one that is attached to nothing, because a driver sends it once for each device.
     *
     * @param ids each in one group at most; of endpoints that are given to this builder, or plugged later
     * @return this
     */
    public VirtioIommuBuilder group(int... ids) {
        groups.forEach(group -> SettingChecks.group(group, ids));
        SettingChecks.group(new int[0], ids);
        groups.add(ids.clone());
        return this;
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
        SettingChecks.pageSizeMask(mask, inputStart, inputEnd);
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
        SettingChecks.inputRange(start, end, Long.lowestOneBit(pageSizeMask));
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
        SettingChecks.domainRange(start, end);
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
        SettingChecks.probeSize(bytes);
        probeSize = bytes;
        return this;
    }

    /**
     * Says whether endpoints that are attached to nothing reach guest-physical memory at power-on. Default true,
     * because firmware reads disks before there is a driver. Without BYPASS_CONFIG, they reach nothing; with a {@link
     * #topology}, this holds for good.
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
     * attached again. Otherwise DMA that is still on its way would use I/O-virtual addresses as physical ones. True is
     * the letter of section 5.13.5: the endpoint is attached to nothing, and the bypass byte decides.
     *
     * @param on whether the bypass byte counts at once
     * @return this
     */
    public VirtioIommuBuilder bypassAfterReset(boolean on) {
        bypassAfterReset = on;
        return this;
    }

    /**
     * Describes in the configuration space which devices are endpoints, for guests that read it there: firmware or a
     * kernel that knows the proposal which {@link org.virtio4j.wire.iommu.TopologyConfig} shows. <b>Not for a stock
     * guest.</b> The bit that announces the description is that of BYPASS_CONFIG in the standard. A stock Linux takes
     * it for that, and attaches identity domains ({@code iommu.passthrough=1}) with the flag BYPASS. The device refuses
     * that, so that drivers of such devices do not start; translated domains work. A driver that reads the bypass byte
     * finds the lowest byte of {@code offset} there: 48, which is neither 0 nor 1. Stock guests learn the topology from
     * ACPI or a device tree.
     *
     * <p>The device then has no bypass byte: {@link #bootBypass} holds for good, through resets of every kind. No byte
     * of the configuration can be written, and an ATTACH with the flag BYPASS gets INVAL. A trace of requests does not
     * record the description.
     *
     * <p>A PCI function has room for 253 items of 16 bytes. A virtio-mmio window of the usual size has room for 13;
     * a larger one must be asked for. The transport refuses a device with more.
     *
     * @param itemLength bytes of each item, 16 for those that the proposal defines
     * @param items      the items, which this device does not look into; little-endian; a copy is kept
     * @return this
     * @throws IllegalArgumentException also if there are more than any transport has room for
     */
    public VirtioIommuBuilder topology(int itemLength, byte[] items) {
        SettingChecks.topology(itemLength, items);
        topology = new TopologyBytes(itemLength, items);
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
     * @param events   entries of the event queue; 1 is enough, but then faults wait for one another
     * @return this
     */
    public VirtioIommuBuilder queueSizes(int requests, int events) {
        SettingChecks.queueSizes(requests, events);
        requestQueueSize = requests;
        eventQueueSize = events;
        return this;
    }

    /**
     * Limits how many mappings live in all domains together; a MAP beyond it gets NOMEM. Default 4,194,304. About 200
     * bytes of address space are reserved for each, and committed as they are used. A Linux guest can hang at
     * the limit, because some versions take NOMEM as success. Give it far more than it can use: one mapping for each
     * ring, one for each piece of each request that its devices work on, and those that it has not removed yet.
     *
     * @param mappings at least 1
     * @return this
     */
    public VirtioIommuBuilder maxMappings(long mappings) {
        SettingChecks.maxMappings(mappings);
        maxMappings = mappings;
        return this;
    }

    /**
     * Limits how many mappings a domain has; a MAP beyond it gets NOMEM. Default: no limit but {@link #maxMappings}.
     *
     * @param mappings at least 1
     * @return this
     */
    public VirtioIommuBuilder maxMappingsPerDomain(long mappings) {
        SettingChecks.atLeastOne("maxMappingsPerDomain", mappings);
        maxMappingsPerDomain = mappings;
        return this;
    }

    /**
     * Limits how many domains there are; an ATTACH that would make one more gets NOMEM. Default: no limit. There are
     * never more than endpoints.
     *
     * @param domains at least 1
     * @return this
     */
    public VirtioIommuBuilder maxDomains(int domains) {
        SettingChecks.atLeastOne("maxDomains", domains);
        maxDomains = domains;
        return this;
    }

    /**
     * Limits how many endpoints there are at a time, those that are plugged included. Default 4,096. About 1,000 bytes
     * of address space are reserved for each.
     *
     * @param endpoints 1 to 65,536, as many as a PCI segment has functions
     * @return this
     */
    public VirtioIommuBuilder maxEndpoints(int endpoints) {
        SettingChecks.maxEndpoints(endpoints);
        maxEndpoints = endpoints;
        return this;
    }

    /**
     * Sets when {@link IommuListener#stalled} is told of a device that delays an UNMAP. Default 100 ms.
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
        SettingChecks.linger(time);
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
     * Mirrors mappings elsewhere.
     *
     * @param listener is asked before each change, after those that were given before, and may refuse it
     * @param ids      the endpoints it stands for; none for all endpoints
     * @return this
     */
    public VirtioIommuBuilder mappingListener(MappingListener listener, int... ids) {
        mappingListeners.put(Objects.requireNonNull(listener), ids.clone());
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
     * endpoint. A caller that reads regions from a file can ask here, and name the line in its message.
     *
     * @param regions what an endpoint's driver may not map
     * @throws IllegalArgumentException if they do not fit into the probe size, or leave nothing that can be mapped
     */
    public void check(ReservedRegions regions) {
        SettingChecks.regions(regions, limits(), features.has(IommuFeature.PROBE));
    }

    /**
     * Makes the device. The builder can be used again: each call makes a device of its own, with all that was said
     * until then. Such devices share their listeners and nothing else.
     *
     * @return an IOMMU with all endpoints attached to nothing
     * @throws IllegalArgumentException if the regions of an endpoint do not fit, see {@link #check}
     */
    public VirtioIommu build() {
        checkEndpoints();
        ServingSettings serving =
                new ServingSettings(requestQueueSize, eventQueueSize, polled, linger.toNanos(), nanoTime);
        IommuSettings settings = new IommuSettings(offered(), limits(), serving, bypass(),
                new Limits(maxDomains, maxMappings, maxMappingsPerDomain), maxEndpoints, List.copyOf(groups), topology,
                stallLimit.toNanos());
        VirtioIommu iommu = new VirtioIommu(settings, List.copyOf(listeners));
        endpoints.forEach((id, regions) -> iommu.plug(id, regionsOf(regions)));
        mappingListeners.forEach(iommu::join);
        return iommu;
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

    private Features offered() {
        return topology == null ? features : features.with(IommuFeature.TOPOLOGY);
    }

    /** Without a bypass byte there is no bypass, unless a topology takes its place: then boot decides for good. */
    private BypassSettings bypass() {
        boolean byDriver = topology == null && features.has(IommuFeature.BYPASS_CONFIG);
        return new BypassSettings(byDriver, bootBypass && (byDriver || topology != null), bypassAfterReset);
    }

    /** Without its feature a driver cannot know of a range, so everything is valid (section 5.13.6). */
    private RequestLimits limits() {
        boolean input = features.has(IommuFeature.INPUT_RANGE);
        boolean domains = features.has(IommuFeature.DOMAIN_RANGE);
        return new RequestLimits(pageSizeMask, input ? inputStart : 0, input ? inputEnd : -1,
                domains ? domainStart : 0, domains ? domainEnd : -1, probeSize);
    }
}
