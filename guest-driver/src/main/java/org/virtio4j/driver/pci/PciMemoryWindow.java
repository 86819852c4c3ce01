// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.pci;

import java.util.OptionalLong;
import org.virtio4j.vmm.RegisterHandler;

/** The memory window of a host bridge, and how much of it BARs have taken, one after the other. */
final class PciMemoryWindow {

    private final RegisterHandler handler;
    private final long start;
    private long next;
    private long remaining;

    PciMemoryWindow(RegisterHandler handler, long start, long size) {
        this.handler = handler;
        this.start = start;
        this.next = start;
        this.remaining = size;
    }

    /**
     * Takes a place for a BAR.
     *
     * @param size   bytes, a power of two that the address will be a multiple of
     * @param beyond the first address that the BAR cannot reach, 0 where it reaches all
     * @return guest-physical address of the first byte, or nothing if there is no room
     */
    OptionalLong take(long size, long beyond) {
        long skipped = -next & (size - 1);
        if (size < 0 || size > remaining - skipped) {
            return OptionalLong.empty();
        }
        long address = next + skipped;
        if (beyond != 0 && Long.compareUnsigned(address + (size - 1), beyond) >= 0) {
            return OptionalLong.empty();
        }
        next = address + size;
        remaining -= skipped + size;
        return OptionalLong.of(address);
    }

    /** How much is taken now, for {@link #giveBack}. */
    long mark() {
        return next;
    }

    /** Gives back what was taken since {@link #mark} returned this. */
    void giveBack(long mark) {
        remaining += next - mark;
        next = mark;
    }

    /** The registers from an address in the window on. */
    PciRegisters registers(long address) {
        return new PciRegisters(handler, address - start);
    }
}
