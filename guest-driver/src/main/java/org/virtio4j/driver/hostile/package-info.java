// SPDX-License-Identifier: Apache-2.0
/**
 * Tools that break the rules of a driver on purpose, to see what a device makes of it. No driver needs them.
 *
 * <p>{@link org.virtio4j.driver.hostile.RawRing} reads and writes every field of a ring, the driver's and the device's.
 * {@link org.virtio4j.driver.hostile.HostileRequests} makes an {@link org.virtio4j.driver.iommu.IommuDriver} send
 * requests of any bytes, and cuts requests into the pieces of a {@link org.virtio4j.driver.hostile.Framing}. Odd pieces
 * break no rule: a device must not depend on them.
 *
 * <p>{@link org.virtio4j.driver.VirtioDriver} takes its steps in any order, too, and needs no tool for it.
 */
@NullMarked
package org.virtio4j.driver.hostile;

import org.jspecify.annotations.NullMarked;
