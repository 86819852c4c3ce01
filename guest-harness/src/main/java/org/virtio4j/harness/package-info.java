// SPDX-License-Identifier: Apache-2.0

/**
 * Boots an unmodified Linux, or firmware, under an unmodified QEMU and lets it work with disk and entropy source behind
 * an IOMMU.
 *
 * <p>A {@link org.virtio4j.harness.Guest} fetches what is missing, packs the guest's whole system into one archive,
 * starts QEMU and returns when QEMU has ended. {@link org.virtio4j.harness.GuestDevices} are the devices of one guest:
 * this project's, served over sockets, QEMU's own, or those of a test. The guest is heard through its serial console
 * only; {@link org.virtio4j.harness.GuestFacts} is what it said. All of it runs on the calling thread. In workload
 * {@code console} the guest also has a virtio-console, whose other end is {@code ConsolePeer}.
 */
@NullMarked
package org.virtio4j.harness;

import org.jspecify.annotations.NullMarked;
