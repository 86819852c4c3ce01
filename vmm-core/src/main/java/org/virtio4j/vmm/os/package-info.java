// SPDX-License-Identifier: Apache-2.0
/**
 * The only home of native calls. Nothing here is exported; {@link org.virtio4j.vmm.HostMemory} is how the rest of the
 * product gets at it, and how it does without where native access is not allowed.
 */
@NullMarked
package org.virtio4j.vmm.os;

import org.jspecify.annotations.NullMarked;
