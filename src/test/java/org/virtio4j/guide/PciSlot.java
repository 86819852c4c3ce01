// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

// guide: begin
import java.util.Arrays;
import org.virtio4j.pci.VirtioPciFunction;

/** One slot of a hypervisor's own PCI bus. */
final class PciSlot {

    private final VirtioPciFunction function;
    private final long[] starts = new long[6];

    PciSlot(VirtioPciFunction function) {
        this.function = function;
        findBars();
    }

    /** An access to the slot's configuration space, by ECAM or by the ports 0xcf8 and 0xcfc. */
    long readConfig(int register, int width) {
        return function.readConfig(register, width);
    }

    void writeConfig(int register, int width, long value) {
        function.writeConfig(register, width, value);
        findBars();    // the guest may have moved a BAR, or hidden it
    }

    /** An access to a guest-physical address without RAM; false if it is not for this slot. */
    boolean write(long address, int width, long value) {
        for (int bar = 0; bar < starts.length; bar++) {
            long offset = address - starts[bar];
            if (starts[bar] != VirtioPciFunction.NOT_MAPPED && offset >= 0 && offset < function.barSize(bar)) {
                function.writeBar(bar, offset, width, value);
                return true;
            }
        }
        return false;
    }

    private void findBars() {
        Arrays.setAll(starts, function::barAddress);
    }
}
// guide: end
