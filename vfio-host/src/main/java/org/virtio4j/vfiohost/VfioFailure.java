// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.vfiohost;

import org.virtio4j.os.Errno;

/**
 * Why the host's IOMMU did not do what a mirror wanted.
 *
 * @param what  the request, with its addresses
 * @param errno the error number of Linux; 0 if the request succeeded and its answer was wrong
 */
public record VfioFailure(String what, int errno) {

    /**
     * The name of the error.
     *
     * @return such as {@code ENOMEM}; empty without an error number
     */
    public String error() {
        return errno == 0 ? "" : Errno.symbol(errno);
    }

    static VfioFailure of(String request, long iova, long size, int errno) {
        return new VfioFailure(request + " of 0x" + Long.toHexString(iova) + " to 0x"
                + Long.toHexString(iova + (size - 1)), errno);
    }

    @Override
    public String toString() {
        return errno == 0 ? what : what + ": " + Errno.name(errno);
    }
}
