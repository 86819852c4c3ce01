// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.pci;

import java.util.OptionalLong;
import org.virtio4j.wire.pci.PciHeader;

/**
 * The memory BARs of one function: how large they are, and where they lie. BARs in I/O space count as none, for the
 * host bridge has a memory window alone.
 */
final class PciBars {

    private static final long ALL_ONES = 0xffff_ffffL;
    private static final long FIRST_BEYOND_32_BITS = 1L << Integer.SIZE;

    /** In a BAR: it lies in I/O space, and its other type bits mean something else. */
    private static final long IO_SPACE = 1;

    /** In a memory BAR: how wide its address is. */
    private static final long WIDTH_MASK = 0x6;

    private final PciFunctionConfig config;
    private final long[] sizes = new long[PciHeader.BARS];
    private final boolean[] wide = new boolean[PciHeader.BARS];
    private final long[] addresses = new long[PciHeader.BARS];

    private PciBars(PciFunctionConfig config) {
        this.config = config;
    }

    /**
     * Finds out how large each BAR is, by what stays 0 when all ones are written (PCI Local Bus 3.0, section 6.2.5.1);
     * each holds afterwards what it held before. The function must not decode addresses meanwhile.
     */
    static PciBars measure(PciFunctionConfig config) {
        PciBars bars = new PciBars(config);
        int bar = 0;
        while (bar < PciHeader.BARS) {
            bars.measure(bar);
            bar += bars.wide[bar] ? 2 : 1;
        }
        return bars;
    }

    /** Finds a place for each; false if there is no room for one, and then nothing was taken. */
    boolean place(PciMemoryWindow window) {
        long mark = window.mark();
        for (int bar = 0; bar < PciHeader.BARS; bar++) {
            if (sizes[bar] != 0) {
                OptionalLong address = window.take(sizes[bar], wide[bar] ? 0 : FIRST_BEYOND_32_BITS);
                if (address.isEmpty()) {
                    window.giveBack(mark);
                    return false;
                }
                addresses[bar] = address.getAsLong();
            }
        }
        return true;
    }

    /** Tells the function where its BARs lie; it must not decode addresses yet. */
    void program() {
        for (int bar = 0; bar < PciHeader.BARS; bar++) {
            if (sizes[bar] != 0) {
                config.putU32(register(bar), addresses[bar]);
            }
            if (wide[bar] && sizes[bar] != 0) {
                config.putU32(register(bar + 1), addresses[bar] >>> Integer.SIZE);
            }
        }
    }

    /** Bytes from an offset to the end of a BAR; 0 where there is no such memory BAR, and for reserved numbers. */
    long room(int bar, long offset) {
        long size = bar < PciHeader.BARS ? sizes[bar] : 0;
        if (Long.compareUnsigned(offset, size) >= 0) {
            return 0;
        }
        long room = size - offset;
        return room < 0 ? Long.MAX_VALUE : room;
    }

    /** Guest-physical address of a BAR that was placed. */
    long address(int bar) {
        return addresses[bar];
    }

    private void measure(int bar) {
        long before = config.u32(register(bar));
        long type = before & (IO_SPACE | WIDTH_MASK);
        if (type == PciHeader.BAR_MEMORY_64 && bar + 1 < PciHeader.BARS) {
            wide[bar] = true;
            sizes[bar] = sizeOf(probeBoth(bar, before));
        } else if (type == 0) {
            long mask = probe(bar, before);
            sizes[bar] = (mask & ~PciHeader.BAR_TYPE_MASK) == 0 ? 0 : sizeOf(mask | -FIRST_BEYOND_32_BITS);
        }
    }

    /** What a BAR holds after all ones were written. */
    private long probe(int bar, long before) {
        config.putU32(register(bar), ALL_ONES);
        long mask = config.u32(register(bar));
        config.putU32(register(bar), before);
        return mask;
    }

    /** What a BAR of two registers holds after all ones were written to both. */
    private long probeBoth(int bar, long before) {
        long highBefore = config.u32(register(bar + 1));
        config.putU32(register(bar), ALL_ONES);
        config.putU32(register(bar + 1), ALL_ONES);
        long mask = config.u32(register(bar)) | config.u32(register(bar + 1)) << Integer.SIZE;
        config.putU32(register(bar), before);
        config.putU32(register(bar + 1), highBefore);
        return mask;
    }

    /** Bits that can be written are those from the size up; what is no power of two is no BAR. */
    private static long sizeOf(long mask) {
        long size = -(mask & ~PciHeader.BAR_TYPE_MASK);
        return Long.bitCount(size) == 1 ? size : 0;
    }

    private static long register(int bar) {
        return PciHeader.BAR_0 + bar * PciHeader.BAR_SIZE;
    }
}
