// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

/**
 * What a device does with the memory it addresses. The masks are the READ and WRITE bits of MAP and of fault reports.
 */
public enum Access {
    /** The device reads guest memory. */
    READ(1),
    /** The device writes guest memory. */
    WRITE(2);

    private final int mask;

    Access(int mask) {
        this.mask = mask;
    }

    /**
     * The bit that stands for this access in a set of permissions.
     *
     * @return 1 or 2
     */
    public int mask() {
        return mask;
    }
}
