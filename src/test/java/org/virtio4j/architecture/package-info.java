// SPDX-License-Identifier: Apache-2.0
/**
 * The order of the house, checked: which module may use which, which package of a module may use which, how big a
 * package may be, and where native calls live. {@link org.virtio4j.architecture.HousePlan} is the plan that the code is
 * compared with. ARCHITECTURE.md explains it.
 *
 * <p>What a type uses is read from its class file. A type that has not been compiled since its source changed (a module
 * that Maven builds after {@code conformance}) is read from its source.
 */
@NullMarked
package org.virtio4j.architecture;

import org.jspecify.annotations.NullMarked;
