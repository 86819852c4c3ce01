// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.driver.pci;

import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.virtio4j.wire.pci.MsixCapability;
import org.virtio4j.wire.pci.MsixEntry;
import org.virtio4j.wire.pci.PciCapability;

/** The interrupt messages of a function: its MSI-X table, its pending bits, and the switches over both. */
final class MsixTable {

    private final PciFunctionConfig config;
    private final long control;
    private final int vectorCount;
    private final PciRegisters table;
    private final PciRegisters pending;

    private MsixTable(PciFunction function, long capability, int vectorCount, long tablePlace, long pendingPlace) {
        this.config = function.config();
        this.control = capability + MsixCapability.MESSAGE_CONTROL;
        this.vectorCount = vectorCount;
        this.table = function.registers(bar(tablePlace), offset(tablePlace));
        this.pending = function.registers(bar(pendingPlace), offset(pendingPlace));
    }

    /** The table of a function whose BARs are placed; null if it has none, or if the table lies in none of its BARs. */
    static @Nullable MsixTable of(PciFunction function) {
        OptionalLong found = function.capabilities().first(PciCapability.MSIX, MsixCapability.SIZE);
        if (found.isEmpty()) {
            return null;
        }
        long capability = found.getAsLong();
        PciFunctionConfig config = function.config();
        int vectors = (config.u16(capability + MsixCapability.MESSAGE_CONTROL) & MsixCapability.LAST_ENTRY_MASK) + 1;
        long table = config.u32(capability + MsixCapability.TABLE);
        long pending = config.u32(capability + MsixCapability.PENDING_BITS);
        boolean there = holds(function, table, vectors * MsixEntry.SIZE)
                && holds(function, pending, (long) Math.ceilDiv(vectors, Long.SIZE) * Long.BYTES);
        return there ? new MsixTable(function, capability, vectors, table, pending) : null;
    }

    int vectorCount() {
        return vectorCount;
    }

    /** Sets or clears bits of the message control. */
    void control(int bits, boolean on) {
        int before = config.u16(control);
        config.putU16(control, on ? before | bits : before & ~bits);
    }

    /** Writes a message; its vector is masked meanwhile, as PCI Local Bus 3.0, section 6.8.2, demands. */
    void write(int vector, long address, int data, boolean masked) {
        long entry = entry(vector);
        table.putU32(entry + MsixEntry.VECTOR_CONTROL, MsixEntry.MASKED);
        table.putU64(entry + MsixEntry.ADDRESS, address);
        table.putU32(entry + MsixEntry.DATA, data);
        if (!masked) {
            table.putU32(entry + MsixEntry.VECTOR_CONTROL, 0);
        }
    }

    void mask(int vector, boolean masked) {
        table.putU32(entry(vector) + MsixEntry.VECTOR_CONTROL, masked ? MsixEntry.MASKED : 0);
    }

    boolean isPending(int vector) {
        checkVector(vector);
        long word = (long) (vector / Integer.SIZE) * Integer.BYTES;
        return (pending.u32(word) >>> vector % Integer.SIZE & 1) != 0;
    }

    private long entry(int vector) {
        checkVector(vector);
        return vector * MsixEntry.SIZE;
    }

    private void checkVector(int vector) {
        if (vector < 0 || vector >= vectorCount) {
            throw new IllegalArgumentException("vector=" + vector + ", but the table has vectorCount=" + vectorCount
                    + ", counted from 0");
        }
    }

    private static boolean holds(PciFunction function, long place, long length) {
        return length <= function.bars().room(bar(place), offset(place));
    }

    private static int bar(long place) {
        return (int) (place & MsixCapability.BAR_MASK);
    }

    private static long offset(long place) {
        return place & ~MsixCapability.BAR_MASK;
    }
}
