// SPDX-License-Identifier: Apache-2.0
/**
 * The other side of virtio: what a small guest does with a device. Whoever writes a device can drive it with this in a
 * unit test, with no hypervisor and no guest: found by register accesses, set up step by step, fed through real rings
 * in real guest memory. It knows the device only by what a guest knows, and shares no code with the device side but the
 * numbers of {@code org.virtio4j.wire} and the memory of {@link org.virtio4j.vmm.GuestMemory}.
 *
 * <p>{@link org.virtio4j.driver.GuestRam} is RAM as the guest's CPU has it, and hands out pieces of it as
 * {@link org.virtio4j.driver.GuestBuffer}s; a buffer can lie in scattered pages, for devices behind an IOMMU. A
 * {@link org.virtio4j.driver.DriverTransport} reaches the device's registers, through virtio-mmio
 * ({@link org.virtio4j.driver.MmioDriverTransport}) or over PCI ({@link org.virtio4j.driver.PciDriverTransport}), where
 * a {@link org.virtio4j.driver.PciHost} has found the function. {@link org.virtio4j.driver.VirtioDriver} takes the
 * steps of section 3.1 of virtio 1.4, and a {@link org.virtio4j.driver.DriverQueue} in a
 * {@link org.virtio4j.driver.QueueMemory} is the driver's side of a split ring. With these any device can be driven.
 * {@link org.virtio4j.driver.IommuDriver} goes on to one device type and sends the requests of a virtio-iommu in the
 * pattern in which Linux does.
 *
 * <p>A driver here is as correct as it is told to be. It trusts no device: a used ring that makes no sense is reported
 * as a {@link org.virtio4j.driver.UsedRingFailure}, a device that does not answer ends a wait. And it can misbehave on
 * purpose: {@link org.virtio4j.driver.RawRing} writes any field of a ring, {@link org.virtio4j.driver.Framing} cuts
 * requests into odd pieces, {@link org.virtio4j.driver.IommuDriver#raw} sends bytes that are no request at all.
 *
 * <p>Set-up allocates; after it nothing does. Classes belong to one thread at a time unless they say otherwise.
 * Mistakes of the caller throw; what a device does is told in enum results.
 */
@NullMarked
package org.virtio4j.driver;

import org.jspecify.annotations.NullMarked;
