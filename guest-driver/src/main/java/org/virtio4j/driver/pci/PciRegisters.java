// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.pci;

import org.virtio4j.vmm.RegisterHandler;

/**
 * A structure in a BAR, once the BAR has its place. Each method makes one access, of the width it is named for; 64 bits
 * are two accesses, the low half first (virtio 1.4, section 4.1.3.1).
 */
final class PciRegisters {

    private final RegisterHandler window;
    private final long base;

    /** From an offset in the memory window of the host bridge on. */
    PciRegisters(RegisterHandler window, long base) {
        this.window = window;
        this.base = base;
    }

    int u8(long register) {
        return (int) window.read(base + register, Byte.BYTES);
    }

    int u16(long register) {
        return (int) window.read(base + register, Short.BYTES);
    }

    int u32(long register) {
        return (int) window.read(base + register, Integer.BYTES);
    }

    void putU8(long register, int value) {
        window.write(base + register, Byte.BYTES, value & 0xff);
    }

    void putU16(long register, int value) {
        window.write(base + register, Short.BYTES, value & 0xffff);
    }

    void putU32(long register, int value) {
        window.write(base + register, Integer.BYTES, Integer.toUnsignedLong(value));
    }

    void putU64(long register, long value) {
        putU32(register, (int) value);
        putU32(register + Integer.BYTES, (int) (value >>> Integer.SIZE));
    }

    /** A field of 1, 2, 4 or 8 bytes. */
    long read(long field, int width) {
        if (width < Long.BYTES) {
            return window.read(base + field, width);
        }
        return window.read(base + field, Integer.BYTES)
                | window.read(base + field + Integer.BYTES, Integer.BYTES) << Integer.SIZE;
    }

    /** A field of 1, 2, 4 or 8 bytes. */
    void write(long field, int width, long value) {
        if (width < Long.BYTES) {
            window.write(base + field, width, value);
        } else {
            putU64(field, value);
        }
    }
}
