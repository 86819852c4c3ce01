// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a PCI function lies in segment 0. Addresses are ordered as their BDFs are.
 *
 * @param bus the bus, 0 to 255
 * @param device the device on the bus, 0 to 31
 * @param function the function of the device, 0 to 7
 */
public record PciAddress(int bus, int device, int function) implements Comparable<PciAddress> {

    private static final Pattern TEXT = Pattern.compile("([0-9a-fA-F]{1,2}):([0-9a-fA-F]{1,2})\\.([0-7])");
    private static final int HEXADECIMAL = 16;

    /**
     * Makes an address.
     *
     * @throws IllegalArgumentException if a part is out of its range
     */
    public PciAddress {
        check("bus", bus, 0xff);
        check("device", device, 0x1f);
        check("function", function, 7);
    }

    /**
     * Reads an address as {@code lspci} prints it, such as {@code 00:1f.2}: bus and device are hexadecimal.
     *
     * @param text the address
     * @return what it says
     * @throws IllegalArgumentException if it is no address
     */
    public static PciAddress of(String text) {
        Matcher parts = TEXT.matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException(
                    "address='" + text + "': must be BUS:DEVICE.FUNCTION, hexadecimal, such as 00:0a.0");
        }
        return new PciAddress(number(parts.group(1)), number(parts.group(2)), number(parts.group(3)));
    }

    /**
     * The address as one number, which is the requester ID of the function's DMA and, by the tables of this package,
     * its endpoint ID.
     *
     * @return bus in bits 15..8, device in 7..3, function in 2..0
     */
    public int bdf() {
        return bus << 8 | device << 3 | function;
    }

    @Override
    public int compareTo(PciAddress other) {
        return Integer.compare(bdf(), other.bdf());
    }

    /** The address as {@link #of(String)} reads it. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%02x:%02x.%d", bus, device, function);
    }

    private static int number(String digits) {
        return Integer.parseInt(digits, HEXADECIMAL);
    }

    private static void check(String name, int value, int largest) {
        if (value < 0 || value > largest) {
            throw new IllegalArgumentException(name + "=" + value + ": must be 0 to " + largest);
        }
    }
}
