// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.pci;

/**
 * PCI Express capability, version 2 (PCI Express 3.0, section 7.8), as far as a virtio function fills it in: the rest
 * reads 0.
 *
 * <pre>
 *       byte 0    1      2                        4
 *   00 +--------+------+------------------------+
 *      | 0x10   | next | capabilities register  |
 *   04 +--------+------+------------------------+
 *      | device capabilities                    |
 *   08 +------------------------+---------------+
 *      | device control         | device status |
 *   0c +------------------------+---------------+
 *      | link capabilities                      |
 *   10 +------------------------+---------------+
 *      | link control           | link status   |
 *   14 +------------------------+---------------+
 *      | slot and root registers                |
 *   24 +----------------------------------------+
 *      | second set of device registers         |
 *   2c +----------------------------------------+
 *      | link capabilities 2                    |
 *   30 +----------------------------------------+
 *      | the rest of the second set             |
 *   3c +----------------------------------------+
 * </pre>
 */
public final class ExpressCapability {
    /** Offset of the 2-byte register with version and {@link #TYPE_SHIFT type}. */
    public static final long CAPABILITIES = 0x02;
    /** Offset of the 4-byte device capabilities. */
    public static final long DEVICE_CAPABILITIES = 0x04;
    /** Offset of the 2-byte device control. */
    public static final long DEVICE_CONTROL = 0x08;
    /** Offset of the 4-byte link capabilities; a function on the root bus has no link, and 0 here. */
    public static final long LINK_CAPABILITIES = 0x0c;
    /** Offset of the 2-byte link control. */
    public static final long LINK_CONTROL = 0x10;
    /** Offset of the 2-byte link status. */
    public static final long LINK_STATUS = 0x12;
    /** Offset of the 4-byte link capabilities 2. */
    public static final long LINK_CAPABILITIES_2 = 0x2c;
    /** Bytes of the capability in version 2. */
    public static final long SIZE = 0x3c;

    /** In the capabilities register: the version described here. */
    public static final int VERSION_2 = 2;
    /** In the capabilities register: how far up the type of the function begins. */
    public static final int TYPE_SHIFT = 4;
    /** Type of a function behind a port. */
    public static final int TYPE_ENDPOINT = 0;
    /** Type of a function on the root bus. */
    public static final int TYPE_INTEGRATED_ENDPOINT = 9;
    /** In device capabilities: errors are reported by role, which every function since version 1.1 says. */
    public static final int ROLE_BASED_ERROR_REPORTING = 1 << 15;
    /** In device capabilities: {@link #INITIATE_FUNCTION_RESET} works. */
    public static final int FUNCTION_LEVEL_RESET = 1 << 28;
    /** In device control: writing 1 resets the function; reads 0. */
    public static final int INITIATE_FUNCTION_RESET = 1 << 15;

    /** Link speed of 2.5 GT/s, in link capabilities and link status. */
    public static final int SPEED_2_5 = 1;
    /** In link capabilities 2: 2.5 GT/s is among the speeds. */
    public static final int SUPPORTS_2_5 = 1 << 1;
    /** Link width of one lane, in link capabilities and link status. */
    public static final int WIDTH_1 = 1 << 4;
    /** In link capabilities: the function says truly that it has no power management of its link. */
    public static final int POWER_OPTIONALITY = 1 << 22;
    /**
     * Bits of link control that an endpoint keeps: power management of the link, read completion boundary, common clock
     * and extended synchronisation.
     */
    public static final int LINK_CONTROL_BITS = 0xcb;

    private ExpressCapability() {
    }
}
