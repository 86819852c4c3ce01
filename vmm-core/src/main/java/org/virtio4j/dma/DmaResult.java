// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.dma;

/** How a device's access to guest memory ended. */
public enum DmaResult {
    /** The memory is there and may be accessed. */
    OK,
    /** Translation refused; the fault is reported after the section. */
    FAULT,
    /** Translation gave an address where there is no memory of the kind needed. */
    BUS_ERROR,
    /** The handle was closed, as after a reset of its queue; or its {@link DmaGate} is closed or paused. */
    CLOSED
}
