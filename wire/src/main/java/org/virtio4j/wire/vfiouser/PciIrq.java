// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.vfiouser;

/** Indices of a PCI function's kinds of interrupts ({@code linux/vfio.h}). */
public final class PciIrq {
    /** The pin. */
    public static final int INTX = 0;
    /** MSI. */
    public static final int MSI = 1;
    /** MSI-X. */
    public static final int MSIX = 2;
    /** Reports of errors. */
    public static final int ERR = 3;
    /** Requests to give the device back. */
    public static final int REQ = 4;
    /** How many indices there are. */
    public static final int COUNT = 5;

    private PciIrq() {
    }
}
