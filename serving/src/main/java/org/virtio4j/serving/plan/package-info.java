// SPDX-License-Identifier: Apache-2.0

/**
 * What a machine is to have: its RAM, its IOMMU and its other devices. All of it is immutable. What has to be made
 * again for each machine that is served, such as a disk that opens a file, stands in the plan as a function.
 */
@NullMarked
package org.virtio4j.serving.plan;

import org.jspecify.annotations.NullMarked;
