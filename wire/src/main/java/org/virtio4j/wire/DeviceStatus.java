// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire;

/**
 * Bits of the device status field, by which the driver tells how far it has come (virtio 1.4, section 2.1). A write
 * of 0 asks for a reset.
 *
 * <pre>
 *   bit   7        6             5   4         3             2           1        0
 *       +--------+-------------+---+---------+-------------+-----------+--------+-------------+
 *       | FAILED | NEEDS_RESET | - | SUSPEND | FEATURES_OK | DRIVER_OK | DRIVER | ACKNOWLEDGE |
 *       +--------+-------------+---+---------+-------------+-----------+--------+-------------+
 * </pre>
 */
public final class DeviceStatus {
    /** The guest has found the device and knows it for a virtio device. */
    public static final int ACKNOWLEDGE = 1;
    /** The guest has a driver for it. */
    public static final int DRIVER = 2;
    /** Set-up is complete: from here on the device may use its queues. */
    public static final int DRIVER_OK = 4;
    /** The driver has chosen its features; reads back as 0 when the device refuses the choice. */
    public static final int FEATURES_OK = 8;
    /** The driver suspends the device (section 3.4); needs {@link FeatureBit#SUSPEND}. */
    public static final int SUSPEND = 16;
    /** Set by the device: an error it recovers from only by a reset. The specification's DEVICE_NEEDS_RESET. */
    public static final int NEEDS_RESET = 64;
    /** The driver has given up on the device. */
    public static final int FAILED = 128;

    private DeviceStatus() {
    }

    /**
     * Spells a status out for messages and logs. Allocates; may be called from any thread.
     *
     * @param status value of the status field; bits above the lowest eight are spelled as a number
     * @return the names of the bits that are set, lowest first and joined by {@code |}, bits without a name as one
     *     hexadecimal number, or {@code 0} for none
     */
    public static String describe(int status) {
        if (status == 0) {
            return "0";
        }
        StringBuilder text = new StringBuilder();
        int unnamed = status;
        for (int bit = 1; bit <= FAILED; bit <<= 1) {
            String name = (status & bit) == 0 ? "" : nameOf(bit);
            if (!name.isEmpty()) {
                append(text, name);
                unnamed &= ~bit;
            }
        }
        if (unnamed != 0) {
            append(text, "0x" + Integer.toHexString(unnamed));
        }
        return text.toString();
    }

    private static void append(StringBuilder text, String name) {
        if (!text.isEmpty()) {
            text.append('|');
        }
        text.append(name);
    }

    private static String nameOf(int bit) {
        return switch (bit) {
            case ACKNOWLEDGE -> "ACKNOWLEDGE";
            case DRIVER -> "DRIVER";
            case DRIVER_OK -> "DRIVER_OK";
            case FEATURES_OK -> "FEATURES_OK";
            case SUSPEND -> "SUSPEND";
            case NEEDS_RESET -> "NEEDS_RESET";
            case FAILED -> "FAILED";
            default -> "";
        };
    }
}
