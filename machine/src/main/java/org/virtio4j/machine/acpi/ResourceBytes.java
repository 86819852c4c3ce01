// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.acpi;

import java.io.ByteArrayOutputStream;
import org.virtio4j.machine.MmioWindow;
import org.virtio4j.wire.acpi.Aml;

/** What a device occupies: resource descriptors of ACPI, written one after the other (ACPI 6.5, section 6.4). */
final class ResourceBytes {

    private static final int LENGTH_OF_MEMORY_32 = 9;
    private static final int LENGTH_OF_QUAD_WORD = 43;
    private static final int LENGTH_OF_INTERRUPT = 6;
    private static final long LAST_OF_32_BITS = 0xffff_ffffL;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** A window below 4 GiB in the short form, any other in the long one. */
    ResourceBytes memory(MmioWindow window) {
        long base = window.base().address();
        long last = base + (window.size() - 1);
        // The short form has 32 bits for the size as well.
        boolean low = Long.compareUnsigned(last, LAST_OF_32_BITS) <= 0 && window.size() <= LAST_OF_32_BITS;
        return low ? memory32(base, window.size())
                : quadWord(base, last, window.size());
    }

    private ResourceBytes memory32(long base, long size) {
        return put(Aml.MEMORY_32_FIXED, 1).put(LENGTH_OF_MEMORY_32, 2)
                .put(Aml.READ_WRITE, 1).put(base, 4).put(size, 4);
    }

    /** Granularity and translation are 0. */
    private ResourceBytes quadWord(long base, long last, long size) {
        return put(Aml.QUAD_WORD_SPACE, 1).put(LENGTH_OF_QUAD_WORD, 2)
                .put(Aml.SPACE_MEMORY, 1).put(Aml.SPACE_FIXED, 1).put(Aml.READ_WRITE, 1)
                .put(0, 8).put(base, 8).put(last, 8).put(0, 8).put(size, 8);
    }

    ResourceBytes interrupt(int number) {
        return put(Aml.EXTENDED_INTERRUPT, 1).put(LENGTH_OF_INTERRUPT, 2)
                .put(Aml.CONSUMER, 1).put(1, 1).put(number, 4);
    }

    byte[] end() {
        put(Aml.END_TAG, 1).put(0, 1);
        return out.toByteArray();
    }

    private ResourceBytes put(long value, int width) {
        AmlBytes.little(out, value, width);
        return this;
    }
}
