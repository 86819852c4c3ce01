// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks;

/** The I/O-virtual addresses of all rows with single pages: 4 KiB each, 8 KiB apart, so that none can be joined. */
public final class Pages {

    /** Bytes of a mapping. */
    public static final long SIZE = 4096;

    private static final long STRIDE = 2 * SIZE;
    private static final long FIRST = 1L << 40;

    private Pages() {
    }

    /** First address of a mapping. */
    public static long start(int index) {
        return FIRST + index * STRIDE;
    }

    /** Last address of a mapping, inclusive. */
    public static long end(int index) {
        return start(index) + SIZE - 1;
    }

    /** An address between this mapping and the next, which nothing maps. */
    public static long gap(int index) {
        return start(index) + SIZE;
    }
}
