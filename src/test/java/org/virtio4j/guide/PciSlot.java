// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import java.util.Arrays;
import org.virtio4j.pci.VirtioPciFunction;

// guide: begin
/** One slot of a hypervisor's own PCI bus. */
final class PciSlot {

    private static final int[] BARS = {0, 4};

    private final VirtioPciFunction function;
    private final long[] starts = {VirtioPciFunction.NOT_MAPPED, VirtioPciFunction.NOT_MAPPED};

    PciSlot(VirtioPciFunction function) {
        this.function = function;
    }

    /** An access to the slot's configuration space, by ECAM or by the ports 0xcf8 and 0xcfc. */
    long readConfig(int register, int width) {
        return function.readConfig(register, width);
    }

    void writeConfig(int register, int width, long value) {
        function.writeConfig(register, width, value);
        Arrays.setAll(starts, i -> function.barAddress(BARS[i]));    // the guest may have moved a BAR, or hidden it
    }

    /** An access of guest-physical memory that is no RAM; false if it is not for this slot. */
    boolean write(long address, int width, long value) {
        for (int i = 0; i < BARS.length; i++) {
            long offset = address - starts[i];
            if (starts[i] != VirtioPciFunction.NOT_MAPPED && offset >= 0 && offset < function.barSize(BARS[i])) {
                function.writeBar(BARS[i], offset, width, value);
                return true;
            }
        }
        return false;
    }
}
// guide: end
