// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.acpi;

import java.util.List;
import org.virtio4j.machine.MmioWindow;
import org.virtio4j.wire.acpi.AcpiHeader;

/**
 * Writes an ACPI table (SSDT) that describes virtio devices over MMIO to a guest, an IOMMU among them. Linux finds such
 * devices by the name {@code LNRO0005}, and without this table not at all, whatever the {@link ViotTable} says.
 */
public final class MmioDeviceTable {

    /** Since this revision of the language integers have 64 bits. */
    private static final int REVISION = 2;
    private static final String SIGNATURE = "SSDT";

    private static final String HARDWARE_ID = "LNRO0005";
    private static final int MOST_DEVICES = 0x1000;

    private MmioDeviceTable() {
    }

    /**
     * The whole table: a device {@code \\_SB.Vnnn} for each window, numbered from 0. Its DMA is cache-coherent, its
     * interrupt level-triggered and high.
     *
     * @param windows the devices, in the order in which they get their numbers
     * @return the bytes, with header and checksum
     * @throws IllegalArgumentException if there are more than 4,096 windows
     */
    public static byte[] table(List<MmioWindow> windows) {
        return table(windows, 0);
    }

    /**
     * The whole table with other numbers, for a guest that has another table of such devices already. Names and
     * {@code _UID} are made of the numbers.
     *
     * @param windows the devices, in the order in which they get their numbers
     * @param first   the number of the first one
     * @return the bytes, with header and checksum
     * @throws IllegalArgumentException if a number is not 0 to 4,095
     */
    public static byte[] table(List<MmioWindow> windows, int first) {
        if (first < 0 || first > MOST_DEVICES - windows.size()) {
            throw new IllegalArgumentException("windows=" + windows.size() + ", first=" + first
                    + ": there are names for the numbers 0 to " + (MOST_DEVICES - 1) + " only");
        }
        AmlBytes devices = new AmlBytes();
        for (int i = 0; i < windows.size(); i++) {
            devices.device(String.format("V%03X", first + i), device(windows.get(i), first + i));
        }
        byte[] scope = new AmlBytes().scope("\\_SB_", devices).bytes();
        AcpiTable table = new AcpiTable(AcpiHeader.SIZE + scope.length);
        table.put(AcpiHeader.SIZE, scope);
        return table.finish(SIGNATURE, REVISION);
    }

    private static AmlBytes device(MmioWindow window, int number) {
        return new AmlBytes()
                .name("_HID").string(HARDWARE_ID)
                .name("_UID").integer(number)
                .name("_CCA").integer(1)
                .name("_CRS").buffer(new ResourceBytes().memory(window).interrupt(window.interrupt()).end());
    }
}
