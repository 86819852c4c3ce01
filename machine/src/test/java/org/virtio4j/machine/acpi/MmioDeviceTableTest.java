// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.acpi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.virtio4j.machine.MmioBase;
import org.virtio4j.machine.MmioWindow;

class MmioDeviceTableTest {

    private static final MmioWindow LOW = new MmioWindow(new MmioBase(0xfeb0_0000L), 0x200, 5);
    private static final MmioWindow HIGH = new MmioWindow(new MmioBase(0x1_0000_0000L), 0x1000, 300);

    /** Written down by hand from ACPI 6.5, sections 6.4 and 20.2. */
    @Test
    void shouldDescribeADeviceForEachWindow() {
        String low = "5b82 4104 56303030" + " 085f484944 0d4c4e524f3030303500" + " 085f554944 00" + " 085f434341 01"
                + " 085f435253 11 1a 0a17" + " 86 0900 01 0000b0fe 00020000" + " 89 0600 01 01 05000000" + " 7900";
        String high = "5b82 4306 56303031" + " 085f484944 0d4c4e524f3030303500" + " 085f554944 01" + " 085f434341 01"
                + " 085f435253 11 3c 0a39" + " 8a 2b00 00 0d 01 0000000000000000 0000000001000000 ff0f000001000000"
                + " 0000000000000000 0010000000000000" + " 89 0600 01 01 2c010000" + " 7900";
        String devices = (low + high).replace(" ", "");
        int length = 2 + 5 + devices.length() / 2;
        String scope = "10" + HexFormat.of().toHexDigits((byte) (0x40 | (length & 0xf)))
                + HexFormat.of().toHexDigits((byte) (length >> 4)) + "5c5f53425f";
        byte[] table = MmioDeviceTable.table(List.of(LOW, HIGH));
        assertEquals(scope + devices, HexFormat.of().formatHex(table, 36, table.length));
        assertEquals(0, IntStream.range(0, table.length).map(at -> table[at]).sum() & 0xff, "sum of all bytes");
        assertEquals("53534454", HexFormat.of().formatHex(table, 0, 4), "SSDT");
        assertEquals(table.length, table[4] & 0xff);
    }

    @Test
    void shouldKeepLengthsOfManyDevices() {
        byte[] table = MmioDeviceTable.table(Collections.nCopies(4096, LOW));
        int lead = table[37] & 0xff;
        assertEquals(2, lead >> 6, "further bytes of the scope's length");
        int length = (lead & 0xf) | (table[38] & 0xff) << 4 | (table[39] & 0xff) << 12;
        assertEquals(table.length - 37, length);
    }

    @Test
    void shouldRefuseMoreDevicesThanItHasNamesFor() {
        assertThrows(IllegalArgumentException.class, () -> MmioDeviceTable.table(Collections.nCopies(4097, LOW)));
        assertThrows(IllegalArgumentException.class, () -> MmioDeviceTable.table(List.of(LOW, HIGH), 4095));
        assertThrows(IllegalArgumentException.class, () -> MmioDeviceTable.table(List.of(LOW), -1));
    }

    @Test
    void shouldNumberDevicesFromAnyNumber() {
        String table = HexFormat.of().formatHex(MmioDeviceTable.table(List.of(LOW), 0xfff));
        assertTrue(table.contains("56464646"), "VFFF");
        assertTrue(table.contains("085f554944" + "0bff0f"), "_UID");
    }

    /** The short form has 32 bits for the size. */
    @Test
    void shouldDescribeAWindowOfFourGibibytesInTheLongForm() {
        MmioWindow all = new MmioWindow(new MmioBase(0), 1L << 32, 5);
        String table = HexFormat.of().formatHex(MmioDeviceTable.table(List.of(all)));
        assertTrue(table.contains("8a2b00"), table);
    }
}
