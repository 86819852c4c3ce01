// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

/** Refuses values that no line of a trace can hold. */
final class FieldRange {
    private static final long MAX_UNSIGNED_INT = 0xffff_ffffL;

    private FieldRange() {
    }

    static void checkIommu(int iommu) {
        checkRange("iommu", iommu, TraceHeader.MAX_IOMMUS - 1);
    }

    static void checkStatus(int status) {
        checkRange("status", status, TraceEvent.MAX_STATUS);
    }

    static void checkRemovedIfRecorded(long removed) {
        if (removed != TraceEvent.UNRECORDED) {
            checkUnsignedInt("removed", removed);
        }
    }

    static void checkRange(String name, int value, int max) {
        if (value < 0 || value > max) {
            throw new IllegalArgumentException(name + "=" + value + ": give 0 to " + max);
        }
    }

    static void checkUnsignedInt(String name, long value) {
        if (value < 0 || value > MAX_UNSIGNED_INT) {
            throw new IllegalArgumentException(name + "=" + value + ": give 0 to " + MAX_UNSIGNED_INT);
        }
    }
}
