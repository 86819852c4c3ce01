// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.pci;

import org.virtio4j.vmm.RegisterHandler;
import org.virtio4j.wire.pci.PciHeader;

/**
 * Configuration space of one function on bus 0, as an ECAM window shows it: 4 KiB for each function, eight functions
 * for each device. Registers are named as {@link PciHeader} and the capabilities have them.
 */
final class PciFunctionConfig {

    private static final int DEVICE_SHIFT = 15;
    private static final int FUNCTION_SHIFT = 12;

    private final RegisterHandler ecam;
    private final int device;
    private final int function;
    private final long base;

    PciFunctionConfig(RegisterHandler ecam, int device, int function) {
        this.ecam = ecam;
        this.device = device;
        this.function = function;
        this.base = (long) device << DEVICE_SHIFT | (long) function << FUNCTION_SHIFT;
    }

    int device() {
        return device;
    }

    int function() {
        return function;
    }

    boolean isThere() {
        return u16(PciHeader.VENDOR_ID) != PciHeader.NO_FUNCTION;
    }

    int u8(long register) {
        return (int) ecam.read(base + register, Byte.BYTES);
    }

    int u16(long register) {
        return (int) ecam.read(base + register, Short.BYTES);
    }

    /** Zero-extended. */
    long u32(long register) {
        return ecam.read(base + register, Integer.BYTES);
    }

    void putU16(long register, int value) {
        ecam.write(base + register, Short.BYTES, value);
    }

    /** The low half of the value counts. */
    void putU32(long register, long value) {
        ecam.write(base + register, Integer.BYTES, value & 0xffff_ffffL);
    }
}
