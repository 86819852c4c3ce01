// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine.tree;

/**
 * Physical memory that the guest's kernel must not use (Devicetree Specification 0.4, section 5.3).
 *
 * @param address of the first byte, unsigned
 * @param length in bytes, unsigned
 */
public record MemoryReservation(long address, long length) {

    /**
     * Makes a reservation.
     *
     * @throws IllegalArgumentException if address and length are both 0, which ends the list in a blob
     */
    public MemoryReservation {
        if (address == 0 && length == 0) {
            throw new IllegalArgumentException("address=0, length=0: ends the list of reservations; leave it out");
        }
    }
}
