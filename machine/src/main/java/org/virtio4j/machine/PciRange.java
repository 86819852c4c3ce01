// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import java.util.Comparator;

/**
 * Functions in a row on one PCI segment that are endpoints of one IOMMU, whether there are such functions or not. The
 * function {@code bdfStart + n} is endpoint {@code endpointStart + n}.
 *
 * @param segment       0 to 65,535
 * @param bdfStart      the first function: bus in bits 15..8, device in 7..3, function in 2..0
 * @param bdfEnd        the last function, inclusive
 * @param endpointStart how requests name the first function, unsigned
 */
public record PciRange(int segment, int bdfStart, int bdfEnd, int endpointStart) {

    static final Comparator<PciRange> BY_FUNCTION =
            Comparator.comparingInt(PciRange::segment).thenComparingInt(PciRange::bdfStart);

    private static final int LAST_SEGMENT = 0xffff;
    private static final int LAST_BDF = 0xffff;
    private static final long LAST_ENDPOINT = 0xffff_ffffL;

    /**
     * Makes a range.
     *
     * @throws IllegalArgumentException if a number is out of its range, the range is inverted, or its endpoints need
     *         more than 32 bits
     */
    public PciRange {
        if (segment < 0 || segment > LAST_SEGMENT) {
            throw new IllegalArgumentException("segment=" + segment + ": must be 0 to " + LAST_SEGMENT);
        }
        if (bdfStart < 0 || bdfEnd > LAST_BDF || bdfStart > bdfEnd) {
            throw new IllegalArgumentException("bdfStart=0x" + Integer.toHexString(bdfStart) + ", bdfEnd=0x"
                    + Integer.toHexString(bdfEnd) + ": must be 0 to 0xffff, and the end is inclusive");
        }
        if (Integer.toUnsignedLong(endpointStart) + (bdfEnd - bdfStart) > LAST_ENDPOINT) {
            throw new IllegalArgumentException("endpointStart=0x" + Integer.toHexString(endpointStart)
                    + ": the last of " + (bdfEnd - bdfStart + 1) + " endpoints must be 0xffffffff at most");
        }
    }

    /**
     * All functions of a segment.
     *
     * @param segment       0 to 65,535
     * @param endpointStart how requests name function 00:00.0; with 0, each endpoint has the number of its BDF
     * @return the range
     */
    public static PciRange ofSegment(int segment, int endpointStart) {
        return new PciRange(segment, 0, LAST_BDF, endpointStart);
    }

    /**
     * One function.
     *
     * @param address where it lies; its BDF is the endpoint's number
     * @return the range
     */
    public static PciRange of(PciAddress address) {
        return new PciRange(address.segment(), address.bdf(), address.bdf(), address.bdf());
    }

    /**
     * Whether a function is in the range.
     *
     * @param address any function
     * @return whether it is
     */
    public boolean contains(PciAddress address) {
        return address.segment() == segment && bdfStart <= address.bdf() && address.bdf() <= bdfEnd;
    }

    /**
     * Which endpoint a function is.
     *
     * @param address a function that is in the range
     * @return its number, unsigned
     */
    public int endpoint(PciAddress address) {
        return endpointStart + (address.bdf() - bdfStart);
    }

    /**
     * The number of the last function's endpoint.
     *
     * @return unsigned, inclusive
     */
    public int endpointEnd() {
        return endpointStart + (bdfEnd - bdfStart);
    }

    /** Such as {@code 0001:01:00.0 to 0001:01:1f.7 as endpoints 0x40000000 to 0x400000ff}. */
    @Override
    public String toString() {
        return PciAddress.of(segment, bdfStart) + " to " + PciAddress.of(segment, bdfEnd) + " as endpoints 0x"
                + Integer.toHexString(endpointStart) + " to 0x" + Integer.toHexString(endpointEnd());
    }

    /** Functions of this range, with the numbers that they have in it. */
    PciRange part(int start, int end) {
        return new PciRange(segment, start, end, endpointStart + (start - bdfStart));
    }

    boolean isFollowedBy(PciRange other) {
        return segment == other.segment && bdfEnd + 1 == other.bdfStart && endpointEnd() + 1 == other.endpointStart;
    }

    PciRange upTo(PciRange last) {
        return new PciRange(segment, bdfStart, last.bdfEnd, endpointStart);
    }

    boolean sharesFunctions(PciRange other) {
        return segment == other.segment && bdfStart <= other.bdfEnd && other.bdfStart <= bdfEnd;
    }
}
