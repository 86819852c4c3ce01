// SPDX-License-Identifier: Apache-2.0
/**
 * The other side of virtio: what a small guest does with a device. The author of a device can drive it with this in a
 * unit test, without a hypervisor and without a guest. The driver finds the device by register accesses, sets it up
 * step by step, and feeds it through real rings in real guest memory. It knows the device only by what a guest knows.
 * It shares no code with the device side, except for the numbers of {@code org.virtio4j.wire} and the memory of {@link
 * org.virtio4j.vmm.GuestMemory}.
 *
 * <p>This package has what every driver needs:
 *
 * <ul>
 * <li>{@link org.virtio4j.driver.GuestRam} is RAM as the guest's CPU sees it. It hands out pieces of that RAM as
 * {@link org.virtio4j.driver.GuestBuffer}s. A buffer can lie in scattered pages, for devices behind an IOMMU.
 * <li>{@link org.virtio4j.driver.DriverTransport} reaches the registers of a device. {@code org.virtio4j.driver.mmio}
 * does it for virtio-mmio, {@code org.virtio4j.driver.pci} for PCI, where it finds the function first.
 * <li>{@link org.virtio4j.driver.VirtioDriver} takes the steps of section 3.1 of virtio 1.4, and negotiates a
 * {@link org.virtio4j.driver.FeatureSet}.
 * <li>{@link org.virtio4j.driver.DriverQueue} is the driver's side of a split ring, which lies in a
 * {@link org.virtio4j.driver.QueueMemory}.
 * </ul>
 *
 * <p>With these any device can be driven. {@code org.virtio4j.driver.iommu} drives one device type: it sends the
 * requests of a virtio-iommu in the pattern in which Linux does. {@code org.virtio4j.driver.hostile} breaks rules on
 * purpose; the other packages do not use it.
 *
 * <p>A driver trusts no device. A used ring that makes no sense is reported as a
 * {@link org.virtio4j.driver.UsedRingFailure}. A device that does not answer ends a wait. Mistakes of the caller throw;
 * what a device does is told in enum results.
 *
 * <p>Set-up allocates; after it nothing does. Classes belong to one thread at a time unless they say otherwise.
 */
@NullMarked
package org.virtio4j.driver;

import org.jspecify.annotations.NullMarked;
