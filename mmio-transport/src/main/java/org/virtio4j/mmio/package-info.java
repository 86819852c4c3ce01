// SPDX-License-Identifier: Apache-2.0
/**
 * Virtio over memory-mapped I/O: a device as a window of registers and one interrupt line (virtio 1.4, section 4.2).
 *
 * <p>{@link org.virtio4j.mmio.VirtioMmioDevice} puts any {@link org.virtio4j.device.VirtioDevice} behind the registers
 * of version 2. A hypervisor maps its window somewhere in the guest's address space, hands over every access that ends
 * there, and gives it an {@link org.virtio4j.vmm.InterruptLine}. The guest finds the device by a device tree, an ACPI
 * table or a kernel parameter, not by probing; making those is the hypervisor's part.
 *
 * <p>This package knows registers only. What status, features, queues and resets mean is decided once for all
 * transports, in {@link org.virtio4j.device.transport.DeviceLifecycle}; here each access is decoded, checked for its
 * width, and handed down. What belongs to MMIO alone is kept here: which queue and which feature word the guest has
 * selected, and which events it has not acknowledged.
 *
 * <p>Any thread may access the window. This package has no lock: what it keeps is volatile or atomic, and the life
 * cycle locks what it needs. The interrupt line is called under no lock.
 */
@NullMarked
package org.virtio4j.mmio;

import org.jspecify.annotations.NullMarked;
