// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How the recorded IOMMUs were configured: the first line of a version 2 trace. Version 1 has no such line; what its
 * recordings had in common is {@link #ofVersion1()}. Immutable; may be used from any thread.
 *
 * @param iommus the IOMMUs by index, at least one
 * @param notes facts about the recording that no reader depends on. A key is {@code x-} and lower-case letters, digits,
 *              {@code -} or {@code _}; a value is printable ASCII without spaces, not empty
 */
public record TraceHeader(List<Iommu> iommus, SortedMap<String, String> notes) {
    /** The most IOMMUs one trace can have. */
    public static final int MAX_IOMMUS = 65_536;

    /**
     * Checks and copies what was given.
     *
     * @throws IllegalArgumentException if there is no IOMMU, there are too many, or a note could not be written
     */
    public TraceHeader {
        iommus = List.copyOf(iommus);
        require(!iommus.isEmpty() && iommus.size() <= MAX_IOMMUS,
                "iommus=" + iommus.size() + ": give 1 to " + MAX_IOMMUS);
        notes = Collections.unmodifiableSortedMap(new TreeMap<>(notes));
        for (Map.Entry<String, String> note : notes.entrySet()) {
            require(note.getKey().matches("x-[a-z0-9_-]+"), "note=" + note.getKey()
                    + ": give a key of 'x-' and lower-case letters, digits, '-' or '_'");
            require(note.getValue().matches("[!-~]+"), "note " + note.getKey() + "=" + note.getValue()
                    + ": give a value of printable ASCII without spaces");
        }
    }

    /**
     * The header of a recording of one IOMMU without notes.
     *
     * @param iommu the configuration of the IOMMU with index 0
     * @return a header
     */
    public static TraceHeader of(Iommu iommu) {
        return new TraceHeader(List.of(iommu), new TreeMap<>());
    }

    /**
     * What every version 1 recording has in common: one IOMMU as QEMU 11.1 configures it on an x86 machine, which takes
     * any endpoint for its own and reserves the interrupt doorbell 0xfee00000 to 0xfeefffff.
     *
     * @return a header
     */
    public static TraceHeader ofVersion1() {
        long iommuFeatures = 0x77;
        long ringFeatures = 1L << 28 | 1L << 29 | 1L << 32;
        return of(new Iommu(0xffff_ffff_ffff_f000L, 0, 0x7f_ffff_ffffL, 0, 0xffff_ffffL, 512, true,
                iommuFeatures | ringFeatures, iommuFeatures | ringFeatures, 256, 256,
                List.of(), List.of(new Region(RegionKind.MSI, 0xfee0_0000L, 0xfeef_ffffL))));
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }

    /**
     * One recorded IOMMU.
     *
     * @param pageSizeMask field page_size_mask of the configuration space, in bytes; not 0
     * @param inputStart lowest I/O virtual address it maps
     * @param inputEnd highest I/O virtual address it maps, inclusive; unsigned
     * @param domainStart lowest domain number, 0 to 4294967295
     * @param domainEnd highest domain number, inclusive, {@code domainStart} to 4294967295
     * @param probeSize bytes of properties in the answer to a PROBE, 0 to 4294967295
     * @param bypass whether the bypass byte is 1 after a SYSTEM reset
     * @param features the feature bits 0 to 63 that the device offers
     * @param accepted the feature bits that the driver accepted, a subset of {@code features}
     * @param requestQueueSize entries of the request queue, a power of two up to 32768
     * @param eventQueueSize entries of the event queue, a power of two up to 32768
     * @param endpoints the endpoints with a configuration of their own, each identifier once
     * @param otherRegions the reserved regions of every endpoint not in {@code endpoints}, or null if such endpoints
     *     do not exist
     */
    public record Iommu(long pageSizeMask, long inputStart, long inputEnd, long domainStart, long domainEnd,
            long probeSize, boolean bypass, long features, long accepted, int requestQueueSize, int eventQueueSize,
            List<Endpoint> endpoints, @Nullable List<Region> otherRegions) {
        /**
         * Checks and copies what was given.
         *
         * @throws IllegalArgumentException if a component is outside what its description says
         */
        public Iommu {
            require(pageSizeMask != 0, "pageSizeMask=0: set at least one bit");
            require(Long.compareUnsigned(inputStart, inputEnd) <= 0, "inputStart=" + Long.toHexString(inputStart)
                    + " inputEnd=" + Long.toHexString(inputEnd) + ": give a start that is not above the end");
            require(isUnsignedInt(domainStart) && isUnsignedInt(domainEnd) && domainStart <= domainEnd, "domainStart="
                    + domainStart + " domainEnd=" + domainEnd + ": give 32-bit numbers, the start not above the end");
            require(isUnsignedInt(probeSize), "probeSize=" + probeSize + ": give 0 to 4294967295");
            require((accepted & ~features) == 0, "accepted=" + Long.toHexString(accepted)
                    + ": give none but offered features, which are " + Long.toHexString(features));
            require(isQueueSize(requestQueueSize), "requestQueueSize=" + requestQueueSize
                    + ": give a power of two from 1 to 32768");
            require(isQueueSize(eventQueueSize), "eventQueueSize=" + eventQueueSize
                    + ": give a power of two from 1 to 32768");
            endpoints = List.copyOf(endpoints);
            Set<Integer> ids = new HashSet<>();
            for (Endpoint endpoint : endpoints) {
                require(ids.add(endpoint.id()), "endpoint=" + Integer.toUnsignedString(endpoint.id())
                        + ": give each endpoint once");
            }
            otherRegions = otherRegions == null ? null : List.copyOf(otherRegions);
        }

        /**
         * The reserved regions of an endpoint, listed or not.
         *
         * @param endpoint identifier of the endpoint, unsigned
         * @return its regions, perhaps none, or null if the IOMMU has no such endpoint
         */
        public @Nullable List<Region> regionsOf(int endpoint) {
            for (Endpoint listed : endpoints) {
                if (listed.id() == endpoint) {
                    return listed.regions();
                }
            }
            return otherRegions;
        }

        private static boolean isUnsignedInt(long value) {
            return value >= 0 && value <= 0xffff_ffffL;
        }

        static boolean isQueueSize(long entries) {
            return entries > 0 && entries <= 32768 && Long.bitCount(entries) == 1;
        }
    }

    /**
     * An endpoint that the recorded IOMMU was set up with.
     *
     * @param id identifier, unsigned
     * @param regions its reserved regions in the order in which PROBE gives them
     */
    public record Endpoint(int id, List<Region> regions) {
        /** Copies what was given. */
        public Endpoint {
            regions = List.copyOf(regions);
        }
    }

    /**
     * A range of I/O virtual addresses that a driver must not map.
     *
     * @param kind what the range is kept for
     * @param start first address
     * @param end last address, inclusive; unsigned
     */
    public record Region(RegionKind kind, long start, long end) {
        /**
         * Checks what was given.
         *
         * @throws IllegalArgumentException if the start is above the end
         */
        public Region {
            require(Long.compareUnsigned(start, end) <= 0, "start=" + Long.toHexString(start) + " end="
                    + Long.toHexString(end) + ": give a start that is not above the end");
        }
    }

    /** What a reserved region is kept for. */
    public enum RegionKind {
        /** {@code reserved}: for the platform's own use. */
        RESERVED,
        /** {@code msi}: the doorbell of message-signalled interrupts. */
        MSI
    }
}
