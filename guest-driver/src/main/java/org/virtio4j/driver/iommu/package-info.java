// SPDX-License-Identifier: Apache-2.0
/**
 * Drives a virtio-iommu (virtio 1.4, section 5.13) as Linux does: the same steps, the same ring traffic, and the same
 * kicks.
 *
 * <p>{@link org.virtio4j.driver.iommu.IommuDriver} is the driver. Its
 * {@link org.virtio4j.driver.iommu.IommuDriverOptions} say how it differs from Linux. Each answer comes as a
 * {@link org.virtio4j.driver.iommu.RequestResult} to the {@link org.virtio4j.driver.iommu.AnswerListener}; each fault
 * is copied into a {@link org.virtio4j.driver.iommu.FaultReport}. What became of a wait for the device is a
 * {@link org.virtio4j.driver.iommu.DriverResult}.
 *
 * <p>Inside, {@code IommuBringUp} takes the steps of a start and keeps the queues that it made. {@code RequestWriter}
 * writes the bytes of each request type, {@code DriverRequestQueue} has the requests on their way, and {@code
 * DriverEventQueue} the buffers that wait for faults.
 *
 * <p>A {@link org.virtio4j.driver.iommu.ChainLayout} may lay requests out in other chains of descriptors;
 * {@code org.virtio4j.driver.hostile} uses that, and {@link org.virtio4j.driver.iommu.IommuDriver#submit}, to send what
 * Linux never sends.
 *
 * <p>{@link org.virtio4j.driver.iommu.EarlyTopology} stands apart: it reads which devices the IOMMU manages where the
 * device itself says so, which no Linux does.
 *
 * <p>Everything belongs to one thread at a time. Nothing allocates between one start and the next.
 */
@NullMarked
package org.virtio4j.driver.iommu;

import org.jspecify.annotations.NullMarked;
