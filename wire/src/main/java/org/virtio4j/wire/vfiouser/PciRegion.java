// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.wire.vfiouser;

/** Indices of a PCI function's regions ({@code linux/vfio.h}); BARs have those of their numbers. */
public final class PciRegion {
    /** The last BAR. */
    public static final int LAST_BAR = 5;
    /** The expansion ROM. */
    public static final int ROM = 6;
    /** Configuration space. */
    public static final int CONFIG = 7;
    /** The legacy ranges of a VGA controller. */
    public static final int VGA = 8;
    /** How many indices there are. */
    public static final int COUNT = 9;

    private PciRegion() {
    }
}
