// SPDX-License-Identifier: Apache-2.0
/**
 * Takes what a device was not allowed to access to the driver (virtio 1.4, section 5.13.6.9).
 *
 * <p>A fault enters on the thread of the device that tried, after its section and under no lock, through {@link
 * org.virtio4j.iommu.fault.FaultReports}. It leaves as an event in a buffer of the event queue, which {@link
 * org.virtio4j.iommu.fault.EventQueue} writes in a turn of its loop; the turn comes last in the order of locks. A fault
 * that finds no buffer waits there, and if too many wait, it is counted as lost, as are all of an endpoint that was
 * unplugged.
 *
 * <p>If an observer records traffic, a fault takes the control lock first, so that it has a place among the requests,
 * and is translated a second time to find out whether that place is the right one.
 */
@NullMarked
package org.virtio4j.iommu.fault;

import org.jspecify.annotations.NullMarked;
