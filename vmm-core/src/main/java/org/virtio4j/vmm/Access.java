// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vmm;

/**
 * What a device does with the memory it addresses. The masks are the READ and WRITE bits of MAP and of fault reports.
 */
public enum Access {
    /** The device reads guest memory. */
    READ,
    /** The device writes guest memory. */
    WRITE;

    /**
     * The bit that stands for this access in a set of permissions.
     *
     * @return 1 or 2
     */
    public int mask() {
        // Not a field, which would have to be loaded for an access that is known when the call is compiled.
        return this == READ ? 1 : 2;
    }
}
