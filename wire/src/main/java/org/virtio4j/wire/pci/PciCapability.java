// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.pci;

/**
 * The two bytes with which each capability begins (PCI Local Bus 3.0, section 6.7). The list ends where {@link #NEXT}
 * is 0.
 *
 * <pre>
 *      byte 0    1      2
 *   0 +--------+------+-----------------
 *     | ID     | next | capability ...
 *     +--------+------+-----------------
 * </pre>
 */
public final class PciCapability {
    /** Offset of the byte that says what capability this is. */
    public static final long ID = 0;
    /** Offset of the byte with the offset of the next capability in configuration space, its low two bits ignored. */
    public static final long NEXT = 1;

    /** {@link PowerCapability}. */
    public static final int POWER_MANAGEMENT = 0x01;
    /** A capability of the vendor's own: {@link VirtioCapability} in a virtio function. */
    public static final int VENDOR_SPECIFIC = 0x09;
    /** {@link ExpressCapability}. */
    public static final int EXPRESS = 0x10;
    /** {@link MsixCapability}. */
    public static final int MSIX = 0x11;

    private PciCapability() {
    }
}
