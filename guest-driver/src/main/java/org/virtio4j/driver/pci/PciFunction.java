// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.pci;

import java.util.OptionalLong;
import org.virtio4j.wire.pci.ExpressCapability;
import org.virtio4j.wire.pci.PciCapability;
import org.virtio4j.wire.pci.PciCommand;
import org.virtio4j.wire.pci.PciHeader;

/** One PCI function, of virtio or not: its capabilities, its BARs, and whether it may access the bus. */
final class PciFunction {

    private static final int MOST_READS = 1_000_000;

    private final PciFunctionConfig config;
    private final PciMemoryWindow window;
    private final PciCapabilityList capabilities;
    private final PciBars bars;

    /** Reads the capabilities and measures the BARs; the function must not decode addresses. */
    PciFunction(PciFunctionConfig config, PciMemoryWindow window) {
        this.config = config;
        this.window = window;
        this.capabilities = PciCapabilityList.of(config);
        this.bars = PciBars.measure(config);
    }

    PciFunctionConfig config() {
        return config;
    }

    PciCapabilityList capabilities() {
        return capabilities;
    }

    PciBars bars() {
        return bars;
    }

    /** Finds a place in the memory window for each BAR; false if there is no room. */
    boolean place() {
        return bars.place(window);
    }

    /** Has the function decode its BARs, where they were placed, and access memory. */
    void enable() {
        bars.program();
        config.putU16(PciHeader.COMMAND, PciCommand.MEMORY_SPACE | PciCommand.BUS_MASTER);
    }

    /** What lies in a BAR that was placed. */
    PciRegisters registers(int bar, long offset) {
        return window.registers(bars.address(bar) + offset);
    }

    /**
     * Resets the function and enables it again (PCI Express 3.0, section 6.6.2). Bus mastering
     * is switched off first, so that the reset interrupts no access to memory.
     *
     * @return false if the function has no such reset, and then nothing was done, or if it is not there afterwards
     */
    boolean reset() {
        OptionalLong express = capabilities.first(PciCapability.EXPRESS, ExpressCapability.DEVICE_CONTROL + 2);
        if (express.isEmpty() || !canReset(express.getAsLong())) {
            return false;
        }
        long control = express.getAsLong() + ExpressCapability.DEVICE_CONTROL;
        config.putU16(PciHeader.COMMAND, 0);
        config.putU16(control, config.u16(control) | ExpressCapability.INITIATE_FUNCTION_RESET);
        for (int i = 0; i < MOST_READS; i++) {
            if (config.isThere()) {
                enable();
                return true;
            }
            Thread.onSpinWait();
        }
        return false;
    }

    private boolean canReset(long express) {
        return (config.u32(express + ExpressCapability.DEVICE_CAPABILITIES)
                & ExpressCapability.FUNCTION_LEVEL_RESET) != 0;
    }
}
