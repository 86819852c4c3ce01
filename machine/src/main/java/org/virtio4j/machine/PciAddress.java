// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import java.util.Comparator;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a PCI function lies. Addresses are ordered by their segments, then by their BDFs.
 *
 * @param segment the segment (Linux calls it domain), 0 to 65,535; a machine with one host bridge has segment 0 alone
 * @param bus the bus, 0 to 255
 * @param device the device on the bus, 0 to 31
 * @param function the function of the device, 0 to 7
 */
public record PciAddress(int segment, int bus, int device, int function)
        implements Location, Comparable<PciAddress> {

    private static final Pattern TEXT =
            Pattern.compile("(?:([0-9a-fA-F]{1,4}):)?([0-9a-fA-F]{1,2}):([0-9a-fA-F]{1,2})\\.([0-7])");
    private static final Comparator<PciAddress> ORDER =
            Comparator.comparingInt(PciAddress::segment).thenComparingInt(PciAddress::bdf);
    private static final int HEXADECIMAL = 16;

    /**
     * Makes an address.
     *
     * @throws IllegalArgumentException if a part is out of its range
     */
    public PciAddress {
        check("segment", segment, 0xffff);
        check("bus", bus, 0xff);
        check("device", device, 0x1f);
        check("function", function, 7);
    }

    /**
     * An address in segment 0.
     *
     * @param bus the bus, 0 to 255
     * @param device the device on the bus, 0 to 31
     * @param function the function of the device, 0 to 7
     * @throws IllegalArgumentException if a part is out of its range
     */
    public PciAddress(int bus, int device, int function) {
        this(0, bus, device, function);
    }

    /**
     * Reads an address as {@code lspci} prints it, such as {@code 00:1f.2} or, with its segment, {@code 0001:00:1f.2}:
     * all but the function is hexadecimal.
     *
     * @param text the address
     * @return what it says; segment 0 if it names none
     * @throws IllegalArgumentException if it is no address
     */
    public static PciAddress of(String text) {
        Matcher parts = TEXT.matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException(
                    "address='" + text + "': must be BUS:DEVICE.FUNCTION, hexadecimal, such as 00:0a.0");
        }
        int segment = parts.group(1) == null ? 0 : number(parts.group(1));
        return new PciAddress(segment, number(parts.group(2)), number(parts.group(3)), number(parts.group(4)));
    }

    /**
     * The function of a BDF.
     *
     * @param segment the segment, 0 to 65,535
     * @param bdf bus in bits 15..8, device in 7..3, function in 2..0
     * @return the address
     * @throws IllegalArgumentException if a part is out of its range
     */
    public static PciAddress of(int segment, int bdf) {
        return new PciAddress(segment, bdf >> 8, bdf >> 3 & 0x1f, bdf & 7);
    }

    /**
     * The address within its segment as one number, which is the requester ID of the function's DMA.
     *
     * @return bus in bits 15..8, device in 7..3, function in 2..0
     */
    public int bdf() {
        return bus << 8 | device << 3 | function;
    }

    @Override
    public int compareTo(PciAddress other) {
        return ORDER.compare(this, other);
    }

    /** The address as {@link #of(String)} reads it; segment 0 is left out. */
    @Override
    public String toString() {
        String inSegment = String.format(Locale.ROOT, "%02x:%02x.%d", bus, device, function);
        return segment == 0 ? inSegment : String.format(Locale.ROOT, "%04x:%s", segment, inSegment);
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
